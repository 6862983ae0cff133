import { randomBytes } from 'node:crypto';
import { badInput } from '../errors.js';
import type { Secret } from '../secret.js';
import type { Whose } from '../shares/line.js';
import { openHashing, type Argon2id } from './hashing.js';
import { makingKeyOf, keyById, numberOf, type KeyFile } from './key-file.js';
import { hmacSha256, equalDigests } from './primitives.js';

/** What is kept of a password: the hash as a PHC string, and the id of the pepper under it. */
export interface StoredPassword {
  hash: string;
  pepperId: string;
}

/** How many bytes of UTF-8 a password has: fewer are guessed, more cost time to hash. */
export const shortestPassword = 12;
export const longestPassword = 1_024;

/** Hashes passwords that people chose, slowly and off the event loop; those that wait for it have their turns. */
export interface Passwords {
  /**
   * A fresh hash under the current pepper.
   * @throws BAD_USER_INPUT for a password under 12 or over 1024 bytes; UNAVAILABLE where too many wait already.
   */
  hashPassword(whose: Whose, password: Secret): Promise<StoredPassword>;
  /**
   * Whether it is the password; `stale` says that it is, and that the hash should be replaced. False for what no
   * hash can be made of, for a hash that Keyway did not make, and for a pepper that is not known here.
   * @throws UNAVAILABLE where too many wait already.
   */
  passwordVerifies(
    whose: Whose,
    password: Secret,
    stored: StoredPassword,
  ): Promise<{ ok: boolean; stale: boolean }>;
  /** Takes as long as `passwordVerifies`, for a name that nobody has. @throws UNAVAILABLE alike. */
  passwordUnmatched(whose: Whose, password: Secret): Promise<void>;
  /** Ends the threads that hash. What waits for one is UNAVAILABLE. */
  close(): Promise<void>;
}

// OWASP's minimum for Argon2id.
const current = { memoryCost: 19456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
const saltLength = 16;

/**
 * The password half of the keyring, over the keys of pepper.json.
 * @param onUnknown hears that a hash is by a pepper that is not known here, and may bring it
 */
export function passwords(
  peppers: KeyFile,
  processes = 1,
  onUnknown: () => Promise<void> = async () => {},
): Passwords {
  const hashing = openHashing(processes);

  return {
    async hashPassword(whose, password) {
      const pepperId = makingKeyOf(peppers);
      const input = peppered(peppers, pepperId, password);
      if (!input) throw badInput('password', `must be ${shortestPassword} to ${longestPassword} bytes long`);
      const fresh = freshParameters();
      try {
        return {
          hash: format(fresh, await hashing.argon2id(whose, input, fresh)),
          pepperId,
        };
      } finally {
        input.fill(0);
      }
    },

    async passwordVerifies(whose, password, stored) {
      const made = parse(stored.hash);
      if (made && !peppers.keys.has(stored.pepperId)) await onUnknown();
      if (!made || !peppers.keys.has(stored.pepperId)) return { ok: false, stale: false };
      const input = peppered(peppers, stored.pepperId, password);
      if (!input) return { ok: false, stale: false };
      try {
        const ok = equalDigests(await hashing.argon2id(whose, input, made.parameters), made.digest);
        // One that is newer is about to be current here too.
        const isOlder = numberOf(stored.pepperId) < numberOf(peppers.current);
        return { ok, stale: ok && (isOlder || isOutdated(made.parameters)) };
      } finally {
        input.fill(0);
      }
    },

    async passwordUnmatched(whose, password) {
      const input = peppered(peppers, peppers.current, password);
      if (!input) return;
      try {
        await hashing.argon2id(whose, input, freshParameters());
      } finally {
        input.fill(0);
      }
    },

    close: () => hashing.close(),
  };
}

const freshParameters = (): Argon2id => ({ ...current, salt: randomBytes(saltLength) });

// NFC, because one keyboard sends é as one character and another as two.
function peppered(peppers: KeyFile, id: string, password: Secret): Buffer | undefined {
  const bytes = Buffer.from(password.expose().normalize('NFC'), 'utf8');
  try {
    if (bytes.length < shortestPassword || bytes.length > longestPassword) return undefined;
    return hmacSha256(keyById(peppers, id).exposeBytes(), bytes);
  } finally {
    bytes.fill(0);
  }
}

interface Made {
  parameters: Argon2id;
  digest: Buffer;
}

// No row can ask for more than 1 GB or 99 passes.
const phc =
  /^\$argon2id\$v=19\$m=([1-9][0-9]{3,5}),t=([1-9][0-9]?),p=([1-9])\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

/** A PHC string (github.com/P-H-C/phc-string-format), whose base64 has no padding. */
const format = ({ memoryCost, timeCost, parallelism, salt }: Argon2id, digest: Buffer): string =>
  `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${unpadded(salt)}$${unpadded(digest)}`;

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

function parse(stored: string): Made | undefined {
  const [, memory, passes, lanes, salt, digest] = phc.exec(stored) ?? [];
  if (!memory || !passes || !lanes || !salt || !digest) return undefined;
  return {
    parameters: {
      memoryCost: Number(memory),
      timeCost: Number(passes),
      parallelism: Number(lanes),
      outputLen: current.outputLen,
      salt: Buffer.from(salt, 'base64'),
    },
    digest: Buffer.from(digest, 'base64'),
  };
}

const isOutdated = ({ memoryCost, timeCost, parallelism }: Argon2id) =>
  memoryCost !== current.memoryCost || timeCost !== current.timeCost || parallelism !== current.parallelism;
