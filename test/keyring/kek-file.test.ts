import { jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { inspect, promisify } from 'node:util';
import { transformFileSync } from '@swc/core';
import {
  createKeyFiles,
  KeyFilesError,
  keyKinds,
  loadKeyFiles,
  type KeyKind,
} from '../../src/keyring/kek-file.js';
import { exampleKey } from '../../src/keyring/key-file.js';

let root: string;
let directory: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keyway-keys-'));
  directory = join(root, 'made/on the way/keys');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const pathOf = (kind: KeyKind) => join(directory, `${kind}.json`);

function write(kind: KeyKind, content: unknown): void {
  writeFileSync(pathOf(kind), typeof content === 'string' ? content : JSON.stringify(content));
}

const stored = (kind: KeyKind) =>
  JSON.parse(readFileSync(pathOf(kind), 'utf8')) as { current: string; keys: Record<string, string> };

function faults(): readonly string[] {
  try {
    loadKeyFiles(directory);
  } catch (error) {
    expect(error).toBeInstanceOf(KeyFilesError);
    return error instanceof KeyFilesError ? error.faults : [];
  }
  return [];
}

describe('createKeyFiles', () => {
  test('makes four files with one fresh key each, for the owner alone', () => {
    createKeyFiles(directory);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory).sort()).toEqual(keyKinds.map((kind) => `${kind}.json`).sort());
    const keys = keyKinds.map((kind) => {
      expect(statSync(pathOf(kind)).mode & 0o777).toBe(0o600);
      expect(stored(kind).current).toBe('k1');
      return stored(kind).keys.k1;
    });
    expect(new Set(keys).size).toBe(4);
    expect(loadKeyFiles(directory).kek.keys.get('k1')?.exposeBytes().toString('base64')).toBe(keys[0]);
    expect(readdirSync(dirname(directory))).toEqual(['keys']);
  });

  test('takes the place of an empty directory, and closes it to others', () => {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    createKeyFiles(directory);
    expect(faults()).toEqual([]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test('never overwrites: keys that are there stay', () => {
    createKeyFiles(directory);
    const before = keyKinds.map(stored);
    createKeyFiles(directory);
    expect(keyKinds.map(stored)).toEqual(before);
  });

  test('S48: makes no new key in the place of a lost one', () => {
    createKeyFiles(directory);
    rmSync(pathOf('kek'));
    createKeyFiles(directory);
    expect(existsSync(pathOf('kek'))).toBe(false);
    expect(faults()).toEqual(['kek.json: is missing']);
  });

  test('processes that start together all find the same keys', async () => {
    const program = compile(join(root, 'program'));
    const start = String(Date.now() + 1500);
    const seen = await Promise.all(Array.from({ length: 8 }, () => run(program, directory, start)));
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toBe(keyKinds.map((kind) => stored(kind).keys.k1).join(' '));
    expect(readdirSync(dirname(directory))).toEqual(['keys']);
  });
});

/** Writes the sources as JavaScript, as another process can run them. */
function compile(target: string): string {
  for (const file of [
    'errors',
    'secret',
    'keyring/primitives',
    'keyring/key-provider',
    'keyring/key-file',
    'keyring/kek-file',
  ]) {
    const { code } = transformFileSync(`src/${file}.ts`, {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    });
    mkdirSync(dirname(join(target, file)), { recursive: true });
    writeFileSync(join(target, `${file}.js`), code);
  }
  writeFileSync(join(target, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(target, 'start.js'),
    `import { createKeyFiles, keyKinds, loadKeyFiles } from './keyring/kek-file.js';
     const [, , directory, start] = process.argv;
     while (Date.now() < Number(start));
     createKeyFiles(directory);
     const files = loadKeyFiles(directory);
     console.log(keyKinds.map((kind) => files[kind].keys.get('k1').exposeBytes().toString('base64')).join(' '));`,
  );
  return join(target, 'start.js');
}

async function run(program: string, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...words], { env: {} });
  return stdout.trim();
}

describe('loadKeyFiles', () => {
  const fresh = () => randomBytes(32).toString('base64');

  beforeEach(() => createKeyFiles(directory));

  test('reads several keys of a kind, ordered by number', () => {
    const keys = { k10: fresh(), k2: fresh(), k1: fresh() };
    write('audit', { current: 'k2', keys });
    const { audit } = loadKeyFiles(directory);
    expect([...audit.keys.keys()]).toEqual(['k1', 'k2', 'k10']);
    expect(audit.current).toBe('k2');
    expect(audit.keys.get('k10')?.exposeBytes().toString('base64')).toBe(keys.k10);
  });

  test('a key that is loaded prints as a placeholder', () => {
    const files = loadKeyFiles(directory);
    expect(inspect(files, { depth: 9 })).not.toContain(stored('kek').keys.k1);
    expect(inspect(files, { depth: 9 })).toContain('[secret]');
  });

  const tooOpen =
    'kek.json: is open to other users: its mode must be 0600, or 0640 if its group is one of this process';

  test.each([0o604, 0o620, 0o602, 0o610, 0o660, 0o644, 0o666])('refuses mode %o', (mode) => {
    chmodSync(pathOf('kek'), mode);
    expect(faults()).toEqual([tooOpen]);
  });

  test.each([0o640, 0o440])('takes mode %o with a group of its own, and with no other', (mode) => {
    chmodSync(pathOf('kek'), mode);
    expect(faults()).toEqual([]);
    const groups = jest.spyOn(process, 'getgroups').mockReturnValue([]);
    const group = jest.spyOn(process, 'getegid').mockReturnValue(statSync(pathOf('kek')).gid + 1);
    try {
      expect(faults()).toEqual([tooOpen]);
      groups.mockReturnValue([statSync(pathOf('kek')).gid]);
      expect(faults()).toEqual([]);
    } finally {
      groups.mockRestore();
      group.mockRestore();
    }
  });

  test('takes a secret that is mounted: links to files of a folder that cannot be written to', () => {
    const mounted = resolve(root, 'mounted');
    const real = resolve(mounted, '..2026');
    mkdirSync(real, { recursive: true });
    for (const kind of keyKinds) {
      copyFileSync(pathOf(kind), resolve(real, `${kind}.json`));
      chmodSync(resolve(real, `${kind}.json`), 0o440);
    }
    symlinkSync('..2026', resolve(mounted, '..data'));
    for (const kind of keyKinds) symlinkSync(`..data/${kind}.json`, resolve(mounted, `${kind}.json`));
    chmodSync(real, 0o555);
    chmodSync(mounted, 0o555);
    directory = mounted;
    try {
      createKeyFiles(directory);
      expect(faults()).toEqual([]);
    } finally {
      for (const folder of [mounted, real]) chmodSync(folder, 0o755);
    }
  });

  test('takes a file that even its owner cannot write', () => {
    chmodSync(pathOf('kek'), 0o400);
    expect(faults()).toEqual([]);
  });

  test.each([
    ['no JSON', '{"current":"k1","keys":{"k1":"abc'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no keys', '{"current":"k1"}'],
    ['keys in a list', '{"current":"k1","keys":[]}'],
    ['no current', '{"keys":{}}'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    write('pepper', text);
    expect(faults()).toEqual([
      'pepper.json: is not a key file: {"current":"k1","keys":{"k1":"<32 bytes in base64>"}}',
    ]);
  });

  test.each([
    ['a short key', randomBytes(31).toString('base64')],
    ['a long key', randomBytes(33).toString('base64')],
    ['an empty key', ''],
    ['a key in hex', randomBytes(32).toString('hex')],
    ['a key in base64url', Buffer.alloc(32, 0xff).toString('base64url')],
    ['spaces around a key', ` ${fresh()}`],
    ['a number', 7],
    ['null', null],
  ])('refuses %s', (_, value) => {
    write('kek', { current: 'k1', keys: { k1: value } });
    expect(faults()).toEqual(['kek.json: key k1 is not 32 bytes in base64']);
  });

  test('refuses zeros, the example and an unknown current key', () => {
    write('kek', { current: 'k1', keys: { k1: Buffer.alloc(32).toString('base64') } });
    expect(faults()).toEqual(['kek.json: key k1 is all zeros']);
    write('kek', { current: 'k1', keys: { k1: exampleKey } });
    expect(faults()).toEqual(['kek.json: key k1 is the example from the documentation']);
    write('kek', { current: 'k2', keys: { k1: fresh() } });
    expect(faults()).toEqual(['kek.json: names a current key that it does not hold']);
    write('kek', { current: 'toString', keys: { k1: fresh() } });
    expect(faults()).toEqual(['kek.json: names a current key that it does not hold']);
  });

  test.each(['', 'k0', 'k01', 'K1', 'key', '__proto__', fresh()])(
    'refuses the key id %j and does not repeat it',
    (id) => {
      write('kek', `{"current":"k1","keys":{"k1":"${fresh()}","${id}":"${fresh()}"}}`);
      expect(faults()).toEqual(['kek.json: holds a key whose id is not k1, k2 and so on']);
    },
  );

  test('refuses the same key under two ids, and in two files', () => {
    const key = fresh();
    write('kek', { current: 'k1', keys: { k1: key, k2: key } });
    write('audit', { current: 'k1', keys: { k1: key } });
    expect(faults()).toEqual([
      'kek.json: key k2 is the same as key k1 of kek.json',
      'audit.json: key k1 is the same as key k1 of kek.json',
    ]);
  });

  test('refuses a file that is too large, and a directory in its place', () => {
    write('kek', ' '.repeat(70_000));
    rmSync(pathOf('audit'));
    mkdirSync(pathOf('audit'));
    expect(faults()).toEqual(['kek.json: is not a key file', 'audit.json: is not a key file']);
  });

  test('refuses a file in another encoding, and passes over a byte order mark', () => {
    const text = JSON.stringify({ current: 'k1', keys: { k1: fresh() } });
    writeFileSync(pathOf('kek'), Buffer.from(`\uFEFF${text}`, 'utf16le'));
    writeFileSync(pathOf('audit'), Buffer.concat([Buffer.from(text), Buffer.from([0xe4])]));
    writeFileSync(pathOf('pepper'), `\uFEFF${JSON.stringify({ current: 'k1', keys: { k1: fresh() } })}`);
    expect(faults()).toEqual([
      'kek.json: is not UTF-8: save it in that encoding',
      'audit.json: is not UTF-8: save it in that encoding',
    ]);
  });

  test('a directory that is not there misses every file', () => {
    directory = resolve(root, 'elsewhere');
    expect(faults()).toEqual(keyKinds.map((kind) => `${kind}.json: is missing`));
  });

  test('tells all faults at once, by file and key id, and nothing of any key', () => {
    const [key, short] = [fresh(), randomBytes(20).toString('base64')];
    write('kek', { current: 'k3', keys: { k1: key, k2: short } });
    write('verifier', `{"current":"k1","keys":{"k1":"${key}"`);
    write('pepper', { current: 'k1', keys: { k1: key } });
    rmSync(pathOf('audit'));
    chmodSync(pathOf('pepper'), 0o644);
    let message = '';
    try {
      loadKeyFiles(directory);
    } catch (error) {
      message = inspect(error, { depth: 9 });
    }
    for (const part of [
      'kek.json: key k2 is not 32 bytes in base64',
      'kek.json: names a current key that it does not hold',
      'verifier.json: is not a key file',
      'pepper.json: is open to other users',
      'pepper.json: key k1 is the same as key k1 of kek.json',
      'audit.json: is missing',
    ]) {
      expect(message).toContain(part);
    }
    for (const secret of [key, short]) expect(message).not.toContain(secret.slice(0, 6));
  });
});
