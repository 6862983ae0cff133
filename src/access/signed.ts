import { secretPlace, type SealedRecord } from '../keyring/envelope.js';
import type { Keyring } from '../keyring/keyring.js';
import { randomText } from '../keyring/token.js';
import { Secret } from '../secret.js';
import type { Claim } from '../signatures/scheme.js';
import { windowMs } from '../signatures/scheme.js';
import type { SignatureScheme } from '../signatures/schemes.js';
import type { Presented } from './presented.js';

/** Whether a signed request came within its time, by the clock of the database. */
export const isTimely = ({ signedAtMs, endsAtMs }: Claim, at: number): boolean =>
  Math.abs(at - signedAtMs) <= windowMs && (endsAtMs === null || at < endsAtMs);

/** Whether a key may sign by this scheme. */
export const signsBy = ({ signatureScheme }: Pick<Presented, 'signatureScheme'>, scheme: SignatureScheme) =>
  signatureScheme === null || signatureScheme === scheme;

/**
 * Whether the claim's signature was made with this secret.
 * @throws as `Keyring.open` does.
 */
export async function holds(
  keyring: Keyring,
  claim: Claim,
  { number, sealed, ...credential }: Pick<Presented, 'id' | 'accountId' | 'projectId' | 'number' | 'sealed'>,
): Promise<boolean> {
  if (number === null || sealed === null) return false;
  const secret = await keyring.open(Buffer.from(sealed), secretPlace(credential, number));
  try {
    return claim.holds(secret);
  } finally {
    secret.wipe();
  }
}

/** Takes as long as `holds` does, for a key that nobody has (S25). @throws as `Keyring.seal` and `Keyring.open` do. */
export async function holdsNothing(keyring: Keyring, claim: Claim): Promise<void> {
  let sealed = decoys.get(keyring);
  if (!sealed) {
    sealed = keyring.seal(Secret.of(randomText('HEX')), secretPlace(nowhere, 1));
    decoys.set(keyring, sealed);
    sealed.catch(() => decoys.delete(keyring));
  }
  await holds(keyring, claim, { ...nowhere, number: 1, sealed: (await sealed).sealed });
}

const decoys = new WeakMap<Keyring, Promise<SealedRecord>>();
const nowhere = { id: '', accountId: '', projectId: null };
