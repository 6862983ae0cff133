import { availableParallelism } from 'node:os';
import { hash, hashRaw } from '@node-rs/argon2';
import { badInput } from '../errors.js';
import type { Secret } from '../secret.js';
import { gate } from './gate.js';
import { keyOf, type KeyFile } from './key-file.js';
import { hmacSha256, sameDigest } from './primitives.js';

/** What is kept of a password: the hash as a PHC string, and the id of the pepper under it. */
export interface StoredPassword {
  hash: string;
  pepperId: string;
}

/** Hashes passwords that people chose, slowly and off the event loop. */
export interface Passwords {
  /**
   * A fresh hash under the current pepper.
   * @throws BAD_USER_INPUT for a password under 12 or over 1024 bytes; UNAVAILABLE where too many wait already.
   */
  hashPassword(password: Secret): Promise<StoredPassword>;
  /**
   * Whether it is the password; `stale` says that it is, and that the hash should be made anew. False for what no
   * hash can be made of, for a hash that Keyway did not make, and for a pepper that is not known here.
   * @throws UNAVAILABLE where too many wait already.
   */
  passwordVerifies(password: Secret, stored: StoredPassword): Promise<{ ok: boolean; stale: boolean }>;
}

// OWASP's minimum for Argon2id. The package makes salts of 16 bytes; 2 is its number for Argon2id.
const parameters = { algorithm: 2, memoryCost: 19456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
const shortest = 12;
const longest = 1024;
const waitingPerSlot = 64;

/** The password half of the keyring, over the keys of pepper.json. */
export function passwords(peppers: KeyFile): Passwords {
  // One a core, but never all four of the runtime's worker threads: signatures are verified there, too.
  const slots = Math.min(availableParallelism(), 3);
  const enter = gate(slots, slots * waitingPerSlot);

  return {
    async hashPassword(password) {
      const input = peppered(peppers, peppers.current, password);
      if (!input) throw badInput('password', `must be ${shortest} to ${longest} bytes long`);
      try {
        return { hash: await enter(() => hash(input, parameters)), pepperId: peppers.current };
      } finally {
        input.fill(0);
      }
    },

    async passwordVerifies(password, stored) {
      const made = parse(stored.hash);
      if (!made || !peppers.keys.has(stored.pepperId)) return { ok: false, stale: false };
      const input = peppered(peppers, stored.pepperId, password);
      if (!input) return { ok: false, stale: false };
      try {
        const ok = sameDigest(await enter(() => hashRaw(input, made)), made.digest);
        return { ok, stale: ok && (stored.pepperId !== peppers.current || isOutdated(made)) };
      } finally {
        input.fill(0);
      }
    },
  };
}

// NFC, because one keyboard sends é as one character and another as two.
function peppered(peppers: KeyFile, id: string, password: Secret): Buffer | undefined {
  const bytes = Buffer.from(password.expose().normalize('NFC'), 'utf8');
  try {
    if (bytes.length < shortest || bytes.length > longest) return undefined;
    return hmacSha256(keyOf(peppers, id).exposeBytes(), bytes);
  } finally {
    bytes.fill(0);
  }
}

interface Made {
  algorithm: 2;
  memoryCost: number;
  timeCost: number;
  parallelism: number;
  outputLen: number;
  salt: Buffer;
  digest: Buffer;
}

// The package's own verify takes text only, and the input is bytes. No row can ask for more than 1 GB or 99 passes.
const phc =
  /^\$argon2id\$v=19\$m=([1-9][0-9]{3,5}),t=([1-9][0-9]?),p=([1-9])\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/;

function parse(stored: string): Made | undefined {
  const [, memory, passes, lanes, salt, digest] = phc.exec(stored) ?? [];
  if (!memory || !passes || !lanes || !salt || !digest) return undefined;
  return {
    algorithm: parameters.algorithm,
    memoryCost: Number(memory),
    timeCost: Number(passes),
    parallelism: Number(lanes),
    outputLen: parameters.outputLen,
    salt: Buffer.from(salt, 'base64'),
    digest: Buffer.from(digest, 'base64'),
  };
}

const isOutdated = (made: Made) =>
  made.memoryCost !== parameters.memoryCost ||
  made.timeCost !== parameters.timeCost ||
  made.parallelism !== parameters.parallelism;
