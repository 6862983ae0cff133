import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { KeywayError, unavailable } from '../errors.js';
import { Secret, utf8 } from '../secret.js';
import { wrappedBy } from './key-provider.js';

/** Keys of one kind by their ids, k1, k2 and so on, of which one is current. */
export interface KeyFile {
  current: string;
  /** Those that are at hand. */
  keys: ReadonlyMap<string, Secret>;
  /** The texts of those that a provider has wrapped; until it has unwrapped one, that is not among `keys`. */
  wrapped?: ReadonlyMap<string, string>;
  /** Ids that keys had which are retired: no other key gets one of them. */
  retired?: readonly string[];
  /** Whether nothing may be made with the current key any more: it is retired, and this file does not know yet. */
  closed?: boolean;
}

/** Whose a file is, and who may do what with it. */
export interface FileLike {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The key that the pages show as an example. It is public, so no server starts with it. */
export const exampleKey = Buffer.from('keyway-example-key-do-not-use-it').toString('base64');

const keyLength = 32;
const sizeLimit = 64 * 1024;

/**
 * Reads one key file, and tells each fault by the file's name and the key's id, never by what the file holds.
 * Answers undefined where no key of it can be used.
 * @param mayBeWrapped whether keys may be wrapped by a provider
 */
export function readKeyFile(
  path: string,
  fault: (message: string) => void,
  mayBeWrapped = false,
): KeyFile | undefined {
  const text = readText(path, fault);
  if (text === undefined) return undefined;
  const file = parse(text);
  if (!file) {
    fault('is not a key file: {"current":"k1","keys":{"k1":"<32 bytes in base64>"}}');
    return undefined;
  }
  const keys = new Map<string, Secret>();
  const wrapped = new Map<string, string>();
  for (const [id, value] of Object.entries(file.keys)) {
    if (mayBeWrapped && isKeyId(id) && typeof value === 'string' && wrappedBy(value)) {
      wrapped.set(id, value);
      continue;
    }
    const key = readKey(id, value, fault);
    if (key) keys.set(id, key);
  }
  if (!Object.hasOwn(file.keys, file.current)) fault('names a current key that it does not hold');
  return {
    current: file.current,
    keys: new Map([...keys].sort(([one], [other]) => numberOf(one) - numberOf(other))),
    ...(wrapped.size > 0 && { wrapped }),
    ...(file.retired.length > 0 && { retired: file.retired }),
  };
}

/**
 * Writes a key file that is not there yet, and returns when it is on the disk.
 * @param like the mode and the owner that it gets; readable by its owner alone, where left out
 */
export function writeKeyFile(path: string, file: KeyFile, like?: FileLike): void {
  const plain = [...file.keys].map(([id, key]): [string, string] => [
    id,
    key.exposeBytes().toString('base64'),
  ]);
  const keys = Object.fromEntries(
    [...new Map([...plain, ...(file.wrapped ?? [])])].sort(
      ([one], [other]) => numberOf(one) - numberOf(other),
    ),
  );
  const retired = file.retired?.length ? { retired: file.retired } : {};
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    const own = fstatSync(descriptor);
    if (like && (own.uid !== like.uid || own.gid !== like.gid)) fchownSync(descriptor, like.uid, like.gid);
    if (like) fchmodSync(descriptor, like.mode & 0o777);
    writeFileSync(descriptor, `${JSON.stringify({ current: file.current, keys, ...retired }, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes sure that the names in a directory, too, are on the disk. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The ids of all keys of a file, oldest first: also of those that are not at hand. */
export const idsOf = ({ keys, wrapped = new Map() }: KeyFile): string[] =>
  [...new Set([...keys.keys(), ...wrapped.keys()])].sort((one, other) => numberOf(one) - numberOf(other));

/** The ids of keys that their provider has not unwrapped. */
export const lackingIn = (file: KeyFile): string[] => idsOf(file).filter((id) => !file.keys.has(id));

/** The ids of keys that stand in the file as they are. */
export const plainIn = (file: KeyFile): string[] => idsOf(file).filter((id) => !file.wrapped?.has(id));

/**
 * The key under this id.
 * @throws INTERNAL_SERVER_ERROR for an id that the file does not hold.
 */
export function keyById(file: KeyFile, id: string): Secret {
  const key = file.keys.get(id);
  if (!key) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return key;
}

/**
 * The id of the key that things are made with now.
 * @throws UNAVAILABLE where nothing may be made with it any more.
 */
export function makingKeyOf(file: KeyFile): string {
  if (file.closed) throw unavailable(new Error(`the current key ${file.current} is retired`));
  return file.current;
}

/** Whether a name could not be taken because something stands there already. */
export const isNameTaken = (error: unknown): boolean =>
  hasCode(error, 'EEXIST') || hasCode(error, 'ENOTEMPTY');

/** Whether it is the id of a key: k1, k2 and so on. */
export const isKeyId = (id: string): boolean => /^k[1-9][0-9]{0,8}$/.test(id);

/** The number of a key id: 2 of k2. */
export const numberOf = (id: string): number => Number(id.slice(1));

const hasCode = (error: unknown, code: string) => isRecord(error) && error.code === code;

function readText(path: string, fault: (message: string) => void): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    fault(hasCode(error, 'ENOENT') ? 'is missing' : 'cannot be read');
    return undefined;
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size > sizeLimit) {
      fault('is not a key file');
      return undefined;
    }
    const toOthers = isOwnGroup(status.gid) ? 0o037 : 0o077;
    if ((status.mode & toOthers) !== 0)
      fault('is open to other users: its mode must be 0600, or 0640 if its group is one of this process');
    const text = utf8(readFileSync(descriptor))?.replace(/^\uFEFF/, '');
    if (text === undefined) fault('is not UTF-8: save it in that encoding');
    return text;
  } finally {
    closeSync(descriptor);
  }
}

/** A secret that is mounted into a container is made readable by a group, which the process is put into. */
const isOwnGroup = (id: number): boolean =>
  process.getegid?.() === id || !!process.getgroups?.().includes(id);

// The parser's own error would quote the text, keys and all.
function parse(
  text: string,
): { current: string; keys: Record<string, unknown>; retired: string[] } | undefined {
  try {
    const file: unknown = JSON.parse(text);
    if (!isRecord(file) || !isRecord(file.keys) || typeof file.current !== 'string') return undefined;
    const { current, keys, retired = [] } = file;
    if (!Array.isArray(retired) || !retired.every((id) => typeof id === 'string' && isKeyId(id)))
      return undefined;
    return { current, keys, retired: retired as string[] };
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readKey(id: string, value: unknown, fault: (message: string) => void): Secret | undefined {
  // What is no id may be a key that slipped into the wrong place, so it is not repeated.
  if (!isKeyId(id)) {
    fault('holds a key whose id is not k1, k2 and so on');
    return undefined;
  }
  const key = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
  if (key.length !== keyLength || key.toString('base64') !== value) {
    fault(`key ${id} is not 32 bytes in base64`);
    return undefined;
  }
  if (key.every((byte) => byte === 0)) fault(`key ${id} is all zeros`);
  if (value === exampleKey) fault(`key ${id} is the example from the documentation`);
  return Secret.of(key);
}
