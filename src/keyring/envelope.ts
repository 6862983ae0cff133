import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { KeywayError } from '../errors.js';
import {
  aesGcmOpen,
  aesGcmSeal,
  hkdfSha256,
  lengthPrefixed,
  equalDigests,
  unreadableRecord,
} from './primitives.js';

/** Where a record belongs. It opens nowhere else: not in another row, version, field, project or account, nor for
 * another destination. */
export interface RecordPlace {
  accountId: string;
  projectId: string | null;
  credentialId: string;
  version: number;
  field: string;
  /** Where the plaintext may be sent to, as the origins of a store; left out for what is sent nowhere. */
  destination?: string | undefined;
}

/** Where a credential's secrets are sealed to. */
export interface SealedTo {
  id: string;
  accountId: string;
  projectId: string | null;
  /** Of its store. */
  destination?: string | undefined;
}

/** Where the secret of a version of a credential is sealed to. */
export const secretPlace = (to: SealedTo, version: number): RecordPlace => ({
  accountId: to.accountId,
  projectId: to.projectId,
  credentialId: to.id,
  version,
  field: 'secret',
  destination: to.destination,
});

/**
 * Keeps the keys that wrap data keys. `wrap` answers 60 bytes (nonce, wrapped key, tag). A key that is not there, or
 * a provider that does not answer, is UNAVAILABLE; any other failure of `unwrap` counts as a damaged record.
 */
export interface KekProvider {
  currentKeyId(): Promise<string>;
  wrap(keyId: string, dek: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
  unwrap(keyId: string, wrapped: Uint8Array, aad: Uint8Array): Promise<Uint8Array>;
}

/** A sealed record, and the id of the KEK that its data key is wrapped with. */
export interface SealedRecord {
  sealed: Buffer;
  kekId: string;
}

const magic = 'KWY1';
/** What a record is bound to: its place without, or with, the destination. */
const algorithms = { placed: 1, sent: 2 } as const;
type Algorithm = (typeof algorithms)[keyof typeof algorithms];
const idAt = magic.length + 2;
const dekLength = 32;
const wrapLength = 12 + dekLength + 16;
const commitmentLength = 32;
const nonceLength = 12;
const tagLength = 16;
const noSalt = Buffer.alloc(0);

/** Seals a plaintext for its place under a fresh data key, which is gone when this returns or throws. */
export async function sealRecord(
  kek: KekProvider,
  plain: Uint8Array,
  place: RecordPlace,
): Promise<SealedRecord> {
  const kekId = await kek.currentKeyId();
  const dek = randomBytes(dekLength);
  const bound =
    place.destination === undefined ? boundBy(algorithms.placed, place) : boundBy(algorithms.sent, place);
  try {
    const wrapped = await wrap(kek, kekId, dek, bound);
    return { sealed: Buffer.concat([head(kekId, bound), wrapped, sealContent(dek, plain, bound)]), kekId };
  } finally {
    dek.fill(0);
  }
}

/**
 * Opens a record in its place. One that was sealed before destinations were bound opens for each.
 * @throws UNAVAILABLE where its KEK is not at hand; INTERNAL_SERVER_ERROR, always the same, where it was changed or moved.
 */
export async function openRecord(kek: KekProvider, sealed: Uint8Array, place: RecordPlace): Promise<Buffer> {
  const record = parse(sealed);
  const bound = boundBy(record.algorithm, place);
  const dek = await unwrap(kek, record, bound);
  try {
    return openContent(dek, record.content, bound);
  } finally {
    dek.fill(0);
  }
}

/**
 * The same record under the provider's current KEK; the plaintext is not touched, and a record that is already there
 * comes back as it is. Fails as `openRecord` does.
 */
export async function rewrapRecord(
  kek: KekProvider,
  sealed: Uint8Array,
  place: RecordPlace,
): Promise<SealedRecord> {
  const record = parse(sealed);
  const kekId = await kek.currentKeyId();
  if (record.kekId === kekId) return { sealed: Buffer.from(sealed), kekId };
  const bound = boundBy(record.algorithm, place);
  const dek = await unwrap(kek, record, bound);
  try {
    if (!equalDigests(commitment(dek), record.content.subarray(0, commitmentLength)))
      throw unreadableRecord();
    const wrapped = await wrap(kek, kekId, dek, bound);
    return { sealed: Buffer.concat([head(kekId, bound), wrapped, record.content]), kekId };
  } finally {
    dek.fill(0);
  }
}

function sealContent(dek: Uint8Array, plain: Uint8Array, bound: Bound): Buffer {
  const nonce = randomBytes(nonceLength);
  const key = contentKey(dek);
  try {
    return Buffer.concat([
      commitment(dek),
      nonce,
      aesGcmSeal(key, nonce, plain, aad('keyway/secret', bound)),
    ]);
  } finally {
    key.fill(0);
  }
}

function openContent(dek: Uint8Array, content: Uint8Array, bound: Bound): Buffer {
  if (!equalDigests(commitment(dek), content.subarray(0, commitmentLength))) throw unreadableRecord();
  const nonceEnd = commitmentLength + nonceLength;
  const key = contentKey(dek);
  try {
    const nonce = content.subarray(commitmentLength, nonceEnd);
    return aesGcmOpen(key, nonce, content.subarray(nonceEnd), aad('keyway/secret', bound));
  } finally {
    key.fill(0);
  }
}

const contentKey = (dek: Uint8Array) => hkdfSha256(dek, noSalt, 'keyway/enc/v1', dekLength);
const commitment = (dek: Uint8Array) => hkdfSha256(dek, noSalt, 'keyway/commit/v1', commitmentLength);

async function wrap(kek: KekProvider, kekId: string, dek: Uint8Array, bound: Bound): Promise<Uint8Array> {
  const wrapped = await kek.wrap(kekId, dek, aad('keyway/dek', bound, kekId));
  if (wrapped.length !== wrapLength) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return wrapped;
}

async function unwrap(kek: KekProvider, record: Parsed, bound: Bound): Promise<Uint8Array> {
  const data = aad('keyway/dek', bound, record.kekId);
  const dek = await kek.unwrap(record.kekId, record.wrapped, data).catch((fault: unknown) => {
    throw fault instanceof KeywayError && fault.code === 'UNAVAILABLE' ? fault : unreadableRecord();
  });
  if (dek.length !== dekLength) throw unreadableRecord();
  return dek;
}

/** A place as an algorithm binds a record to it. */
interface Bound extends RecordPlace {
  algorithm: Algorithm;
  destination: string | undefined;
}

/** @throws INTERNAL_SERVER_ERROR where a record is bound to a destination and its place has none. */
function boundBy(algorithm: Algorithm, { destination, ...place }: RecordPlace): Bound {
  if (algorithm === algorithms.placed) return { ...place, algorithm, destination: undefined };
  if (destination === undefined) throw unreadableRecord();
  return { ...place, algorithm, destination };
}

// The project alone may be absent; its own byte in front keeps «none» apart from every name.
function aad(purpose: string, bound: Bound, kekId?: string): Buffer {
  if (!Number.isSafeInteger(bound.version) || bound.version < 0)
    throw new KeywayError('INTERNAL_SERVER_ERROR');
  return Buffer.concat([
    lengthPrefixed(`${purpose}/v${bound.algorithm}`, 2),
    lengthPrefixed(bound.accountId, 2),
    bound.projectId === null
      ? Buffer.of(0)
      : Buffer.concat([Buffer.of(1), lengthPrefixed(bound.projectId, 2)]),
    lengthPrefixed(bound.credentialId, 2),
    lengthPrefixed(String(bound.version), 2),
    lengthPrefixed(bound.field, 2),
    ...(bound.destination === undefined ? [] : [lengthPrefixed(bound.destination, 2)]),
    ...(kekId === undefined ? [] : [lengthPrefixed(kekId, 2)]),
  ]);
}

// The id is written with a check behind it, `k1~5f2c9a01`: without one, a damaged id would look like a missing KEK,
// and damage must look the same everywhere.
function head(kekId: string, { algorithm }: Bound): Buffer {
  const text = `${kekId}~${check(kekId, algorithm)}`;
  if (!/^[!-}]+~[0-9a-f]{8}$/.test(text) || text.length > 255) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return Buffer.concat([Buffer.from(magic), Buffer.of(algorithm, text.length), Buffer.from(text, 'ascii')]);
}

const check = (kekId: string, algorithm: Algorithm) =>
  crc32(`${magic}${algorithm}${kekId}`).toString(16).padStart(8, '0');

interface Parsed {
  algorithm: Algorithm;
  kekId: string;
  wrapped: Buffer;
  content: Buffer;
}

function parse(sealed: Uint8Array): Parsed {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const wrapAt = idAt + (bytes[idAt - 1] ?? 0);
  const contentAt = wrapAt + wrapLength;
  const algorithm = Object.values(algorithms).find((one) => one === bytes[magic.length]);
  const known = bytes.toString('latin1', 0, magic.length) === magic;
  const id = /^([!-}]+)~([0-9a-f]{8})$/.exec(bytes.toString('latin1', idAt, wrapAt));
  if (!known || !algorithm || !id?.[1] || id[2] !== check(id[1], algorithm)) throw unreadableRecord();
  if (bytes.length < contentAt + commitmentLength + nonceLength + tagLength) throw unreadableRecord();
  return {
    algorithm,
    kekId: id[1],
    wrapped: bytes.subarray(wrapAt, contentAt),
    content: bytes.subarray(contentAt),
  };
}
