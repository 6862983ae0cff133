import { secretPlace, type RecordPlace, type SealedRecord } from '../keyring/envelope.js';
import type { Keyring } from '../keyring/keyring.js';
import { randomText } from '../keyring/token.js';
import { Secret } from '../secret.js';
import { type Claim, windowMs, type SignatureScheme } from '../signatures/scheme.js';
import type { PresentedKey } from './presented-key.js';

/** Whether a signed request came within its time, by the clock of the database. */
export const isTimely = ({ signedAtMs, endsAtMs }: Claim, at: number): boolean =>
  Math.abs(at - signedAtMs) <= windowMs && (endsAtMs === null || at < endsAtMs);

/** Whether a key may sign by this scheme. */
export const signsBy = (
  { signatureScheme }: Pick<PresentedKey, 'signatureScheme'>,
  scheme: SignatureScheme,
) => signatureScheme === null || signatureScheme === scheme;

/** A secret that a claim may have been signed with. */
type Signing = Pick<PresentedKey, 'id' | 'accountId' | 'projectId' | 'number' | 'sealed'>;

/** How many secrets of a key work at once: the current one, and the previous one in its grace period. */
const mostSecrets = 2;

/**
 * The one of these whose secret the claim was signed with. Where there is none, as many secrets are opened as for any
 * other key: nobody's, in the place of those that are not there or were wiped (S25).
 * @throws as `Keyring.seal` and `Keyring.open` do.
 */
export async function signerOf<Version extends Signing>(
  keyring: Keyring,
  claim: Claim,
  versions: readonly Version[],
): Promise<Version | undefined> {
  let opened = 0;
  for (const version of versions) {
    const { number, sealed, ...credential } = version;
    if (number === null || sealed === null) continue;
    if (await holds(keyring, claim, sealed, secretPlace(credential, number))) return version;
    opened++;
  }
  for (; opened < mostSecrets; opened++)
    await holds(keyring, claim, (await decoyOf(keyring)).sealed, secretPlace(nowhere, 1));
  return undefined;
}

async function holds(keyring: Keyring, claim: Claim, sealed: Buffer, place: RecordPlace): Promise<boolean> {
  const secret = await keyring.open(Buffer.from(sealed), place);
  try {
    return claim.holds(secret);
  } finally {
    secret.wipe();
  }
}

function decoyOf(keyring: Keyring): Promise<SealedRecord> {
  const known = decoys.get(keyring);
  if (known) return known;
  const sealed = keyring.seal(Secret.of(randomText('HEX')), secretPlace(nowhere, 1));
  decoys.set(keyring, sealed);
  sealed.catch(() => decoys.delete(keyring));
  return sealed;
}

const decoys = new WeakMap<Keyring, Promise<SealedRecord>>();
const nowhere = { id: '', accountId: '', projectId: null };
