import { pipeline, Transform, type Readable } from 'node:stream';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { AwsKmsSettings } from '../../config/key-providers.js';
import { slowestConnectMs, slowestKeyProviderCallMs } from '../../config/limits.js';
import {
  kekPurpose,
  KeyProviderFault,
  unwrapped,
  wrappable,
  type KeyProvider,
} from '../../keyring/key-provider.js';
import type { Secret } from '../../secret.js';

/**
 * KEKs that are wrapped by a key of AWS KMS, `aws-kms:` and the ciphertext. The encryption context binds them to their
 * purpose and id (https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html). Who Keyway is at AWS, the
 * official client finds as it does everywhere: the environment, a profile, or the role of the machine or pod.
 */
export function openAwsKms(settings: AwsKmsSettings): KeyProvider {
  const { keys } = settings;
  return {
    name,
    wrap: async (id, key) => {
      const plain = wrappable(id, key);
      try {
        const { CiphertextBlob } = await call(settings, (sdk, client) =>
          client.send(
            new sdk.EncryptCommand({ KeyId: keys[0], Plaintext: plain, EncryptionContext: contextOf(id) }),
          ),
        );
        if (!CiphertextBlob?.length) throw fault('answered without a ciphertext');
        return `${name}:${Buffer.from(CiphertextBlob).toString('base64')}`;
      } finally {
        plain.fill(0);
      }
    },
    unwrap: (id, text) => unwrap(settings, id, text),
  };
}

/**
 * By which key a ciphertext was made, KMS itself knows; the answer names it. It must be one of those that are set, so that
 * an operator can change the key, and nobody else.
 */
async function unwrap(settings: AwsKmsSettings, id: string, text: string): Promise<Secret> {
  const { Plaintext, KeyId } = await call(settings, (sdk, client) =>
    client.send(
      new sdk.DecryptCommand({
        CiphertextBlob: Buffer.from(text.slice(name.length + 1), 'base64'),
        EncryptionContext: contextOf(id),
      }),
    ),
  );
  const plain = Buffer.from(Plaintext ?? []);
  Plaintext?.fill(0);
  if (!settings.keys.some((key) => key === KeyId)) {
    plain.fill(0);
    throw fault(`unwrapped it by a key that is not among those of KEYWAY_AWS_KMS_KEY`);
  }
  const key = unwrapped(id, plain);
  if (!key) throw fault(notThis);
  return key;
}

const name = 'aws-kms';
const contextOf = (id: string) => ({ 'keyway-purpose': kekPurpose, 'keyway-key': id });
const fault = (reason: string) => new KeyProviderFault('AWS KMS', reason);

type Sdk = typeof import('@aws-sdk/client-kms');

/**
 * Where KMS is asked: at the address that is set, or else at that of the region, as the rules of the official client have it.
 * What AWS_ENDPOINT_URL and profiles say is for other services as well, such as a MinIO for checkpoints, and never heard: the
 * key as it is would be sent there.
 */
export async function kmsAddressOf({ region, endpoint }: AwsKmsSettings): Promise<string> {
  if (endpoint !== undefined) return endpoint;
  const { KMSClient } = await import('@aws-sdk/client-kms');
  const client = new KMSClient({ region });
  try {
    const { config } = client;
    const { url } = config.endpointProvider({
      Region: region,
      UseFIPS: await config.useFipsEndpoint(),
      UseDualStack: await config.useDualstackEndpoint(),
    });
    return url.origin;
  } finally {
    client.destroy();
  }
}

/** Calls are rare, so that each has a client of its own: it finds credentials that were changed, and leaves no connection. */
async function call<Output>(
  settings: AwsKmsSettings,
  work: (sdk: Sdk, client: KMSClient) => Promise<Output>,
): Promise<Output> {
  const sdk = await import('@aws-sdk/client-kms');
  const address = new URL(await kmsAddressOf(settings));
  const client = new sdk.KMSClient({
    region: settings.region,
    endpoint: address.origin,
    // They are in the address already, and the client refuses to be told of them beside one.
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: slowestConnectMs,
      requestTimeout: slowestKeyProviderCallMs,
      socketTimeout: slowestKeyProviderCallMs,
      throwOnRequestTimeout: true,
    },
  });
  client.middlewareStack.add(
    (next) => (args) => {
      const { protocol, hostname } = args.request as { protocol?: unknown; hostname?: unknown };
      if (protocol !== address.protocol || hostname !== address.hostname)
        throw fault('would be asked at another address than the one that is set: nothing was sent');
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'holdToAddress' },
  );
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { body?: unknown };
      if (response.body) response.body = limited(response.body as Readable);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'limitAnswer' },
  );
  try {
    return await work(sdk, client);
  } catch (error) {
    throw error instanceof KeyProviderFault ? error : fault(reasonOf(error));
  } finally {
    client.destroy();
  }
}

/** An answer to either call has a few hundred bytes. */
const mostBytes = 64 * 1_024;

function limited(body: Readable): Readable {
  let size = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length;
      if (size > mostBytes) done(new Error('the answer is too large'));
      else done(null, chunk);
    },
  });
  // The failure reaches whoever reads what comes out.
  pipeline(body, limit, () => undefined);
  return limit;
}

const notThis =
  'does not take it for this key: it was wrapped for another purpose, by another key or account, or was changed';
const whoWeAre =
  'does not accept the AWS credentials that Keyway has: see the environment, profile or role that it runs with';

/** By the names of errors alone: their texts name what was sent. https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html */
function reasonOf(error: unknown): string {
  const { name: errorName, code } = error as { name?: unknown; code?: unknown };
  const known = typeof errorName === 'string' ? reasons.get(errorName) : undefined;
  if (known !== undefined) return known;
  const what = [code, errorName].find(
    (one) => typeof one === 'string' && /^[A-Za-z_]{1,64}$/.test(one) && one !== 'Error',
  );
  return `does not answer as it should${typeof what === 'string' ? ` (${what})` : ''}: see its region and the network`;
}

const reasons = new Map([
  [
    'AccessDeniedException',
    'refuses it: allow kms:Encrypt and kms:Decrypt with this key to whom Keyway runs as, and see whether it is of this region',
  ],
  ['DisabledException', 'has the key disabled: enable it'],
  [
    'KMSInvalidStateException',
    'has the key in a state in which it is of no use, such as pending deletion: cancel that',
  ],
  ['NotFoundException', 'has no such key in the region and account of KEYWAY_AWS_KMS_KEY'],
  ['InvalidKeyUsageException', 'wants a symmetric key for encryption: the key is of another kind'],
  ['InvalidCiphertextException', notThis],
  ['IncorrectKeyException', notThis],
  [
    'CredentialsProviderError',
    'cannot be asked: no AWS credentials were found in the environment, a profile or a role',
  ],
  ['UnrecognizedClientException', whoWeAre],
  ['InvalidClientTokenId', whoWeAre],
  ['InvalidSignatureException', whoWeAre],
  ['SignatureDoesNotMatch', whoWeAre],
  ['ExpiredTokenException', whoWeAre],
  ['TimeoutError', 'does not answer in time: see its region, the network and KEYWAY_AWS_KMS_ENDPOINT'],
  ['ThrottlingException', 'has too much to do: it is asked again'],
  ['KeyUnavailableException', 'cannot get at the key now: it is asked again'],
  ['DependencyTimeoutException', 'cannot get at the key now: it is asked again'],
  ['KMSInternalException', 'has failed: it is asked again'],
]);
