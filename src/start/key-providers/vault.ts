import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VaultSettings } from '../../config/key-providers.js';
import { slowestKeyProviderCallMs } from '../../config/limits.js';
import {
  kekPurpose,
  KeyProviderFault,
  unwrapped,
  wrappable,
  type KeyProvider,
} from '../../keyring/key-provider.js';
import { KeywayError } from '../../errors.js';
import {
  CertificateRefused,
  openOutbound,
  type Outbound,
  type OutboundAnswer,
} from '../../outbound/outbound.js';
import { Secret } from '../../secret.js';

/**
 * KEKs that are wrapped by a key of the Transit engine of Vault (1.13 or newer) or OpenBao, as `vault:v1:…`; associated data
 * binds them to their purpose and id (https://openbao.org/api-docs/secret/transit/).
 */
export function openVault(settings: VaultSettings): KeyProvider {
  const vault = new Vault(settings);
  return {
    name: 'vault',
    wrap: async (id, key) => {
      const plain = wrappable(id, key);
      try {
        const { ciphertext } = await vault.transit('encrypt', {
          plaintext: plain.toString('base64'),
          ...boundTo(id),
        });
        if (
          typeof ciphertext !== 'string' ||
          !/^vault:v[1-9]\d{0,8}:[A-Za-z0-9+/=]{40,4096}$/.test(ciphertext)
        )
          throw fault(unlikeVault);
        return ciphertext;
      } finally {
        plain.fill(0);
      }
    },
    unwrap: async (id, text) => {
      const { plaintext } = await vault.transit('decrypt', { ciphertext: text, ...boundTo(id) });
      if (typeof plaintext !== 'string') throw fault(unlikeVault);
      const key = unwrapped(id, Buffer.from(plaintext, 'base64'));
      if (!key) throw fault(notThis);
      return key;
    },
  };
}

const boundTo = (id: string) => ({ associated_data: Buffer.from(`${kekPurpose}/${id}`).toString('base64') });
const fault = (reason: string) => new KeyProviderFault('Vault', reason);

type Verb = 'encrypt' | 'decrypt';

/** An answer to any of the calls has at most a few thousand bytes. */
const mostBytes = 64 * 1_024;
const attempts = 2;

class Vault {
  readonly #settings: VaultSettings;
  readonly #outbound: Outbound;
  /** What a login has given: used until it is refused. */
  #loggedIn: Promise<Secret> | undefined;

  constructor(settings: VaultSettings) {
    this.#settings = settings;
    // An operator says where it is, so that it may be anywhere; by http on this machine alone, which the settings hold it to.
    this.#outbound = openOutbound({
      allowedRanges: ['0.0.0.0/0', '::/0'],
      local: settings.address.startsWith('http:'),
    });
  }

  /** The `data` of the answer. @throws KeyProviderFault */
  async transit(verb: Verb, body: Record<string, string>): Promise<Record<string, unknown>> {
    const { mount, key, login } = this.#settings;
    const path = `${mount}/${verb}/${key}`;
    const send = async () => this.#send(path, body, await this.#token());
    let answer = await send();
    if (answer.status === 403 && (login.by === 'approle' || login.by === 'kubernetes')) {
      this.#loggedIn = undefined;
      answer = await send();
    }
    if (answer.status !== 200) throw fault(reasonOf(answer, verb));
    return membersOf(membersOf(read(answer))['data']);
  }

  #token(): Promise<Secret> {
    const { login } = this.#settings;
    if (login.by === 'token') return Promise.resolve(login.token);
    if (login.by === 'token file') return Promise.resolve(secretIn(login.file, 'KEYWAY_VAULT_TOKEN_FILE'));
    const loggedIn = (this.#loggedIn ??= this.#logIn().catch((error: unknown) => {
      this.#loggedIn = undefined;
      throw error;
    }));
    return loggedIn;
  }

  async #logIn(): Promise<Secret> {
    const { login } = this.#settings;
    if (login.by !== 'approle' && login.by !== 'kubernetes') throw fault(unlikeVault);
    const body: Record<string, string> =
      login.by === 'approle'
        ? {
            role_id: login.roleId,
            secret_id: secretIn(login.secretIdFile, 'KEYWAY_VAULT_APPROLE_SECRET_FILE').expose(),
          }
        : {
            role: login.role,
            jwt: secretIn(login.tokenFile, 'KEYWAY_VAULT_KUBERNETES_TOKEN_FILE').expose(),
          };
    const answer = await this.#send(`auth/${login.mount}/login`, body);
    if (answer.status !== 200) throw fault(reasonOf(answer, 'login'));
    const { client_token: token } = membersOf(membersOf(read(answer))['auth']);
    if (typeof token !== 'string' || !isToken(token)) throw fault(unlikeVault);
    return Secret.of(token);
  }

  async #send(path: string, body: Record<string, string>, token?: Secret): Promise<OutboundAnswer> {
    const { address, namespace } = this.#settings;
    const url = new URL(`/v1/${path}`, address);
    const trusted = this.#trusted();
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#outbound
        .call('POST', url, {
          timeoutMs: slowestKeyProviderCallMs,
          mostBytes,
          trusted,
          headers: {
            'content-type': 'application/json',
            // Vault Agent and proxies that look for it: https://developer.hashicorp.com/vault/docs/agent-and-proxy
            'x-vault-request': 'true',
            ...(token && { 'x-vault-token': token.expose() }),
            ...(namespace !== undefined && { 'x-vault-namespace': namespace }),
          },
          body: JSON.stringify(body),
        })
        .catch((error: unknown) => {
          if (attempt === attempts) throw fault(whyUnreached(error));
        });
      const again = !answer || answer.status === 429 || (answer.status >= 500 && !isSealed(answer));
      if (answer && (!again || attempt === attempts)) return answer;
      await sleep(Math.random() * 200);
    }
  }

  #trusted(): string | undefined {
    const { caFile } = this.#settings;
    if (caFile === undefined) return undefined;
    try {
      return readFileSync(caFile, 'utf8');
    } catch {
      throw fault('cannot be asked: the file that KEYWAY_VAULT_CA_FILE names cannot be read');
    }
  }
}

function secretIn(file: string, setting: string): Secret {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    throw fault(`cannot be asked: the file that ${setting} names cannot be read`);
  }
  if (!isToken(text)) throw fault(`cannot be asked: the file that ${setting} names holds no token`);
  return Secret.of(text);
}

const isToken = (text: string) => /^[!-~]{1,16384}$/.test(text);

const unlikeVault = 'answered as neither Vault nor OpenBao does: see KEYWAY_VAULT_ADDRESS';
const notThis =
  'does not take it for this key: it was wrapped for another purpose or by another key, or was changed';

function whyUnreached(error: unknown): string {
  const cause = error instanceof KeywayError ? error.cause : undefined;
  if (cause instanceof CertificateRefused)
    return 'shows a certificate that does not hold: see KEYWAY_VAULT_CA_FILE and the name in KEYWAY_VAULT_ADDRESS';
  return 'does not answer: see whether it runs, and whether KEYWAY_VAULT_ADDRESS can be reached from here';
}

const isSealed = (answer: OutboundAnswer) => answer.status === 503 && errorsOf(answer).includes('is sealed');

/** What an answer that is no success means, in words of ours: those of others may hold what was sent. */
function reasonOf(answer: OutboundAnswer, asked: Verb | 'login'): string {
  const errors = errorsOf(answer);
  if (isSealed(answer)) return 'is sealed: unseal it';
  if (asked === 'login' && [400, 401, 403].includes(answer.status))
    return 'does not let Keyway log in: see the role, its secret, and KEYWAY_VAULT_LOGIN_MOUNT';
  if (answer.status === 403)
    return 'refuses the token: it has expired, or its policy does not allow «update» on encrypt and decrypt of the key';
  if (answer.status === 404)
    return 'has nothing at this path: see KEYWAY_VAULT_TRANSIT_MOUNT and KEYWAY_VAULT_NAMESPACE';
  if (answer.status === 400 && errors.includes('key not found'))
    return 'has no key by the name of KEYWAY_VAULT_TRANSIT_KEY';
  if (answer.status === 400 && errors.includes('disallowed by policy'))
    return 'does not unwrap what a version below min_decryption_version has wrapped: lower that, and then use «keys rewrap kek»';
  if (answer.status === 400 && asked === 'decrypt') return notThis;
  if (answer.status === 400)
    return 'wants a key that takes associated data and is not derived, such as of the type aes256-gcm96';
  return `answers with status ${answer.status}`;
}

function errorsOf(answer: OutboundAnswer): string {
  try {
    const { errors } = membersOf(read(answer));
    return Array.isArray(errors)
      ? errors
          .filter((one) => typeof one === 'string')
          .join(' ')
          .toLowerCase()
      : '';
  } catch {
    return '';
  }
}

function read({ body }: OutboundAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own error would quote the answer.
    throw fault(unlikeVault);
  }
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
