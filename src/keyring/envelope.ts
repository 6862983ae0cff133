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

/** Where a record belongs. It opens nowhere else: not in another row, version, field, project or account. */
export interface RecordPlace {
  accountId: string;
  projectId: string | null;
  credentialId: string;
  version: number;
  field: string;
}

/** Where the secret of a version of a credential is sealed to. */
export const secretPlace = (
  to: { id: string; accountId: string; projectId: string | null },
  version: number,
): RecordPlace => ({
  accountId: to.accountId,
  projectId: to.projectId,
  credentialId: to.id,
  version,
  field: 'secret',
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
const algorithm = 1;
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
  try {
    const wrapped = await wrap(kek, kekId, dek, place);
    return { sealed: Buffer.concat([head(kekId), wrapped, sealContent(dek, plain, place)]), kekId };
  } finally {
    dek.fill(0);
  }
}

/**
 * Opens a record in its place.
 * @throws UNAVAILABLE where its KEK is not at hand; INTERNAL_SERVER_ERROR, always the same, where it was changed or moved.
 */
export async function openRecord(kek: KekProvider, sealed: Uint8Array, place: RecordPlace): Promise<Buffer> {
  const record = parse(sealed);
  const dek = await unwrap(kek, record, place);
  try {
    return openContent(dek, record.content, place);
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
  const dek = await unwrap(kek, record, place);
  try {
    if (!equalDigests(commitment(dek), record.content.subarray(0, commitmentLength)))
      throw unreadableRecord();
    const wrapped = await wrap(kek, kekId, dek, place);
    return { sealed: Buffer.concat([head(kekId), wrapped, record.content]), kekId };
  } finally {
    dek.fill(0);
  }
}

function sealContent(dek: Uint8Array, plain: Uint8Array, place: RecordPlace): Buffer {
  const nonce = randomBytes(nonceLength);
  const key = contentKey(dek);
  try {
    return Buffer.concat([
      commitment(dek),
      nonce,
      aesGcmSeal(key, nonce, plain, aad('keyway/secret/v1', place)),
    ]);
  } finally {
    key.fill(0);
  }
}

function openContent(dek: Uint8Array, content: Uint8Array, place: RecordPlace): Buffer {
  if (!equalDigests(commitment(dek), content.subarray(0, commitmentLength))) throw unreadableRecord();
  const nonceEnd = commitmentLength + nonceLength;
  const key = contentKey(dek);
  try {
    const nonce = content.subarray(commitmentLength, nonceEnd);
    return aesGcmOpen(key, nonce, content.subarray(nonceEnd), aad('keyway/secret/v1', place));
  } finally {
    key.fill(0);
  }
}

const contentKey = (dek: Uint8Array) => hkdfSha256(dek, noSalt, 'keyway/enc/v1', dekLength);
const commitment = (dek: Uint8Array) => hkdfSha256(dek, noSalt, 'keyway/commit/v1', commitmentLength);

async function wrap(
  kek: KekProvider,
  kekId: string,
  dek: Uint8Array,
  place: RecordPlace,
): Promise<Uint8Array> {
  const wrapped = await kek.wrap(kekId, dek, aad('keyway/dek/v1', place, kekId));
  if (wrapped.length !== wrapLength) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return wrapped;
}

async function unwrap(kek: KekProvider, record: Parsed, place: RecordPlace): Promise<Uint8Array> {
  const bound = aad('keyway/dek/v1', place, record.kekId);
  const dek = await kek.unwrap(record.kekId, record.wrapped, bound).catch((fault: unknown) => {
    throw fault instanceof KeywayError && fault.code === 'UNAVAILABLE' ? fault : unreadableRecord();
  });
  if (dek.length !== dekLength) throw unreadableRecord();
  return dek;
}

// The project alone may be absent; its own byte in front keeps «none» apart from every name.
function aad(purpose: string, place: RecordPlace, kekId?: string): Buffer {
  if (!Number.isSafeInteger(place.version) || place.version < 0)
    throw new KeywayError('INTERNAL_SERVER_ERROR');
  return Buffer.concat([
    lengthPrefixed(purpose, 2),
    lengthPrefixed(place.accountId, 2),
    place.projectId === null
      ? Buffer.of(0)
      : Buffer.concat([Buffer.of(1), lengthPrefixed(place.projectId, 2)]),
    lengthPrefixed(place.credentialId, 2),
    lengthPrefixed(String(place.version), 2),
    lengthPrefixed(place.field, 2),
    ...(kekId === undefined ? [] : [lengthPrefixed(kekId, 2)]),
  ]);
}

// The id is written with a check behind it, `k1~5f2c9a01`: without one, a damaged id would look like a missing KEK,
// and damage must look the same everywhere.
function head(kekId: string): Buffer {
  const text = `${kekId}~${check(kekId)}`;
  if (!/^[!-}]+~[0-9a-f]{8}$/.test(text) || text.length > 255) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return Buffer.concat([Buffer.from(magic), Buffer.of(algorithm, text.length), Buffer.from(text, 'ascii')]);
}

const check = (kekId: string) => crc32(`${magic}${algorithm}${kekId}`).toString(16).padStart(8, '0');

interface Parsed {
  kekId: string;
  wrapped: Buffer;
  content: Buffer;
}

function parse(sealed: Uint8Array): Parsed {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const wrapAt = idAt + (bytes[idAt - 1] ?? 0);
  const contentAt = wrapAt + wrapLength;
  const known = bytes.toString('latin1', 0, magic.length) === magic && bytes[magic.length] === algorithm;
  const id = /^([!-}]+)~([0-9a-f]{8})$/.exec(bytes.toString('latin1', idAt, wrapAt));
  if (!known || !id?.[1] || id[2] !== check(id[1])) throw unreadableRecord();
  if (bytes.length < contentAt + commitmentLength + nonceLength + tagLength) throw unreadableRecord();
  return { kekId: id[1], wrapped: bytes.subarray(wrapAt, contentAt), content: bytes.subarray(contentAt) };
}
