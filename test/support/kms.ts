import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { startStandIn, type StandInAnswer, type StandInOfKeys } from './stand-in-of-keys.js';

/** A stand-in of AWS KMS, as far as Keyway speaks with it. */
export interface Kms extends StandInOfKeys {
  /** The ARN of its first key. */
  readonly arn: string;
  /** Makes another key, and answers its ARN. */
  makeKey(): string;
  state(arn: string, state: 'Enabled' | 'Disabled' | 'PendingDeletion'): void;
  /** Takes on a fresh backing key; what was encrypted before is decrypted all the same. */
  rotate(arn: string): void;
  /** The environment of a Keyway that uses it. */
  readonly environment: Record<string, string>;
}

const region = 'eu-central-1';

/**
 * The JSON protocol of AWS KMS (https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html and API_Decrypt.html):
 * real AES-GCM, with the encryption context as additional data, and the key's id in the ciphertext.
 */
export async function startKms(): Promise<Kms> {
  const keys = new Map<string, { versions: Buffer[]; state: 'Enabled' | 'Disabled' | 'PendingDeletion' }>();
  const makeKey = () => {
    const arn = `arn:aws:kms:${region}:111122223333:key/${randomUUID()}`;
    keys.set(arn, { versions: [randomBytes(32)], state: 'Enabled' });
    return arn;
  };
  const arn = makeKey();
  const keyOf = (id: string) => {
    const key = keys.get(id);
    if (!key) throw new Fault('NotFoundException', `Key '${id}' does not exist`);
    if (key.state === 'Disabled') throw new Fault('DisabledException', `${id} is disabled.`);
    if (key.state !== 'Enabled') throw new Fault('KMSInvalidStateException', `${id} is pending deletion.`);
    return key;
  };
  const operations: Record<string, (body: Record<string, unknown>) => unknown> = {
    'TrentService.Encrypt': ({ KeyId, Plaintext, EncryptionContext }) => {
      const id = String(KeyId);
      const { versions } = keyOf(id);
      const plain = Buffer.from(String(Plaintext), 'base64');
      if (plain.length === 0 || plain.length > 4096) throw new Fault('ValidationException', 'length');
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? Buffer.alloc(0), nonce);
      cipher.setAAD(contextOf(EncryptionContext));
      const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      const head = Buffer.from(`${id}|${versions.length - 1}|`);
      return {
        CiphertextBlob: Buffer.concat([Buffer.of(head.length), head, nonce, sealed]).toString('base64'),
        KeyId: id,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      };
    },
    'TrentService.Decrypt': ({ CiphertextBlob, EncryptionContext, KeyId }) => {
      const blob = Buffer.from(String(CiphertextBlob), 'base64');
      const at = 1 + (blob[0] ?? 0);
      const [id = '', version = ''] = blob.toString('latin1', 1, at).split('|');
      if (!keys.has(id)) throw new Fault('InvalidCiphertextException');
      if (KeyId !== undefined && KeyId !== id) throw new Fault('IncorrectKeyException', 'The key ID');
      const key = keyOf(id).versions[Number(version)];
      if (!key) throw new Fault('InvalidCiphertextException');
      try {
        const opener = createDecipheriv('aes-256-gcm', key, blob.subarray(at, at + 12), {
          authTagLength: 16,
        });
        opener.setAAD(contextOf(EncryptionContext));
        opener.setAuthTag(blob.subarray(-16));
        const plain = Buffer.concat([opener.update(blob.subarray(at + 12, -16)), opener.final()]);
        return { Plaintext: plain.toString('base64'), KeyId: id, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
      } catch {
        throw new Fault('InvalidCiphertextException');
      }
    },
  };
  const answer = (
    what: string,
    body: Record<string, unknown>,
    headers: Record<string, unknown>,
  ): StandInAnswer => {
    try {
      const authorization = String(headers['authorization']);
      if (!authorization.includes('Credential=keyway-test/')) throw new Fault('UnrecognizedClientException');
      if (!authorization.includes(`/${region}/kms/aws4_request`)) throw new Fault('SignatureDoesNotMatch');
      const operation = operations[what];
      if (!operation) throw new Fault('UnknownOperationException');
      return { status: 200, body: operation(body) };
    } catch (error) {
      if (error instanceof Fault) return error.answer;
      throw error;
    }
  };
  const standIn = await startStandIn(
    (request) => String(request.headers['x-amz-target']),
    answer,
    'application/x-amz-json-1.1',
  );
  return Object.assign(standIn, {
    arn,
    makeKey,
    state: (of: string, state: 'Enabled' | 'Disabled' | 'PendingDeletion') => {
      const key = keys.get(of);
      if (key) key.state = state;
    },
    rotate: (of: string) => void keys.get(of)?.versions.push(randomBytes(32)),
    environment: {
      KEYWAY_KEK_PROVIDER: 'aws-kms',
      KEYWAY_AWS_KMS_KEY: arn,
      KEYWAY_AWS_KMS_ENDPOINT: standIn.url,
    },
  });
}

/** What KMS answers a call with that it does not do. */
export const kmsFault = (type: string, status = 400): StandInAnswer => ({
  status,
  body: { __type: type, message: `${type} for marked-message-of-kms` },
});

class Fault extends Error {
  readonly answer: StandInAnswer;
  constructor(type: string, message?: string) {
    super(type);
    this.answer = { status: 400, body: { __type: type, ...(message !== undefined && { message }) } };
  }
}

/** Pairs in whatever order are the same context. */
const contextOf = (given: unknown): Buffer => Buffer.from(JSON.stringify(Object.entries(given ?? {}).sort()));
