import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { startStandIn, type StandInAnswer, type StandInOfKeys } from './stand-in-of-keys.js';

/** A stand-in of the Transit engine of Vault and OpenBao, and of two ways to log in. */
export interface Transit extends StandInOfKeys {
  /** The token that it takes. */
  token: string;
  /** What AppRole takes; each login makes another token. */
  readonly roleId: string;
  readonly secretId: string;
  /** Seals it, or unseals it. */
  sealed: boolean;
  /** Whether it takes no notice of associated data, as Vault before 1.13. */
  old: boolean;
  /** Has the key take on another version. */
  rotate(): void;
  minDecryptionVersion: number;
  /** The environment of a Keyway that uses it, but for what it logs in with. */
  readonly environment: Record<string, string>;
}

/**
 * As https://openbao.org/api-docs/secret/transit/ and https://openbao.org/api-docs/auth/approle/ have it: real AES-GCM of the
 * type aes256-gcm96, ciphertexts `vault:v1:…` of nonce and text, errors as lists.
 */
export async function startTransit(tls?: { key: string; cert: string }): Promise<Transit> {
  const versions = [randomBytes(32)];
  const state = {
    token: `hvs.${randomBytes(12).toString('hex')}`,
    sealed: false,
    old: false,
    minDecryptionVersion: 1,
    roleId: 'marked-role-id',
    secretId: `marked-secret-${randomBytes(6).toString('hex')}`,
  };
  const additional = (given: unknown) =>
    state.old ? Buffer.alloc(0) : Buffer.from(typeof given === 'string' ? given : '', 'base64');
  const refused = (status: number, ...errors: string[]): StandInAnswer => ({ status, body: { errors } });
  const data = (of: unknown): StandInAnswer => ({ status: 200, body: { request_id: 'r', data: of } });

  const operations: Record<string, (body: Record<string, unknown>) => StandInAnswer> = {
    '/v1/transit/encrypt/keyway': ({ plaintext, associated_data: bound }) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', versions.at(-1) ?? Buffer.alloc(0), nonce);
      cipher.setAAD(additional(bound));
      const plain = Buffer.from(String(plaintext), 'base64');
      const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return data({ ciphertext: `vault:v${versions.length}:${sealed.toString('base64')}`, key_version: 1 });
    },
    '/v1/transit/decrypt/keyway': ({ ciphertext, associated_data: bound }) => {
      const [, version = '', text = ''] = /^vault:v(\d+):(.+)$/.exec(String(ciphertext)) ?? [];
      if (version === '') return refused(400, 'invalid ciphertext: no prefix');
      if (Number(version) < state.minDecryptionVersion)
        return refused(400, 'ciphertext or signature version is disallowed by policy (too old)');
      const sealed = Buffer.from(text, 'base64');
      const key = versions[Number(version) - 1];
      try {
        if (!key) throw new Error('no such version');
        const opener = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 });
        opener.setAAD(additional(bound));
        opener.setAuthTag(sealed.subarray(-16));
        const plain = Buffer.concat([opener.update(sealed.subarray(12, -16)), opener.final()]);
        return data({ plaintext: plain.toString('base64') });
      } catch {
        return refused(400, 'invalid ciphertext: unable to decrypt');
      }
    },
  };

  const logIn = (body: Record<string, unknown>): StandInAnswer => {
    const isRole = body['role_id'] === state.roleId && body['secret_id'] === state.secretId;
    const isPod = body['role'] === 'keyway' && body['jwt'] === state.secretId;
    if (!isRole && !isPod) return refused(400, 'invalid role or secret ID');
    state.token = `hvs.${randomBytes(12).toString('hex')}`;
    return { status: 200, body: { data: null, auth: { client_token: state.token, lease_duration: 1200 } } };
  };
  const answer = (
    what: string,
    body: Record<string, unknown>,
    headers: Record<string, unknown>,
  ): StandInAnswer => {
    if (state.sealed) return refused(503, 'Vault is sealed');
    if (/^\/v1\/auth\/(approle|kubernetes)\/login$/.test(what)) return logIn(body);
    if (headers['x-vault-token'] !== state.token) return refused(403, 'permission denied');
    if (/^\/v1\/transit\/(en|de)crypt\//.test(what) && !operations[what])
      return refused(400, 'encryption key not found');
    return operations[what]?.(body) ?? refused(404, `no handler for route "${what}"`);
  };
  const standIn = await startStandIn((request) => request.url ?? '', answer, 'application/json', tls);
  const shown = {
    rotate: () => void versions.push(randomBytes(32)),
    environment: {
      KEYWAY_KEK_PROVIDER: 'vault',
      KEYWAY_VAULT_ADDRESS: standIn.url,
      KEYWAY_VAULT_TRANSIT_KEY: 'keyway',
    },
  };
  const all = Object.defineProperties(
    Object.assign(standIn, shown),
    Object.fromEntries(
      Object.keys(state).map((name) => [
        name,
        {
          get: () => state[name as keyof typeof state],
          set: (value: never) => void Object.assign(state, { [name]: value }),
        },
      ]),
    ),
  );
  return all as unknown as Transit;
}
