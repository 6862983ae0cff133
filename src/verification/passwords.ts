import type { RequestContext } from '../context.js';
import type { StoredPassword } from '../keyring/password.js';
import type { Secret } from '../secret.js';
import { giveBackAttempts, takeAttempts } from './password-attempts.js';
import type { PresentedCredential } from './presented.js';
import type { Case } from './case.js';

/**
 * Looks at the passwords among the cases: as many as their user names have tries left, and every try is counted first.
 * Those of a right one are given back. A name that nobody has is counted and takes as long as one that somebody has.
 * @throws UNAVAILABLE where too many passwords wait to be looked at already.
 */
export async function lookAtPasswords(ctx: RequestContext, cases: readonly Case[]): Promise<void> {
  const asked = cases.flatMap((one) => {
    const { password } = one.match;
    if (!password) return [];
    const { secret, username, versions } = password;
    // Of one project: a name that is none of the caller's has tries of its own, and takes none from its owner.
    const [known] = versions;
    const place = known ? `of ${known.projectId ?? 'none'}` : `unknown to ${ctx.principal.accountId}`;
    const name = ctx.keyring.mac('password-attempt', username, place);
    const hashes = versions.flatMap(hashOf);
    // While the previous password works, there are two to compare with: each costs a try.
    return [{ one, secret, known, hashes, names: Array.from({ length: hashes.length || 1 }, () => name) }];
  });
  if (asked.length === 0) return;
  const granted = await takeAttempts(
    ctx.db,
    asked.flatMap(({ names }) => names),
  );
  let next = 0;
  const looks = asked.map((each) => {
    const tries = granted.slice(next, (next += each.names.length)).filter(Boolean).length;
    return { ...each, tries, wrong: 0 };
  });
  const looked = await Promise.allSettled(looks.map((look) => lookAt(ctx, look)));
  for (const look of looks) if (look.one.match.limited) takeOver(look, looks);
  await giveBackAttempts(
    ctx.db,
    looks.flatMap(({ names, wrong, tries }) => names.slice(wrong, tries)),
  );
  for (const each of looked) if (each.status === 'rejected') throw each.reason;
}

/** A password that was found right is right wherever else it stands in the list, though no try was left to look at it. */
function takeOver(look: Look, looks: readonly Look[]): void {
  const { one, known } = look;
  const { secret } = one.input.proof;
  const same = looks.find(
    ({ one: { input, match } }) =>
      match.version && match.version.id === known?.id && input.proof.secret === secret,
  );
  if (!same) return;
  one.match = same.one.match;
  look.wrong = 0;
}

/** A password as it is kept, with what it is of. */
interface StoredHash {
  version: PresentedCredential;
  stored: StoredPassword;
}

const hashOf = (version: PresentedCredential): StoredHash[] => {
  const { passwordHash: hash, pepperId } = version;
  return hash === null || pepperId === null ? [] : [{ version, stored: { hash, pepperId } }];
};

interface Look {
  one: Case;
  secret: Secret;
  known: PresentedCredential | undefined;
  hashes: readonly StoredHash[];
  names: readonly Buffer[];
  tries: number;
  /** How many of the tries were guesses: the others are given back. */
  wrong: number;
}

/** Finds the password that fits. */
async function lookAt({ keyring }: RequestContext, look: Look): Promise<void> {
  const { one, secret, known, hashes, names, tries } = look;
  // Nobody is told that a password is wrong which was not compared with all that there is.
  one.match = { version: undefined, about: known, limited: tries < names.length };
  if (tries > 0 && hashes.length === 0) {
    await keyring.passwordUnmatched(secret);
    look.wrong++;
  }
  for (const { version, stored } of hashes.slice(0, tries)) {
    const { ok, stale } = await keyring.passwordVerifies(secret, stored);
    if (ok) {
      one.match = { version, stale: stale ? secret : undefined };
      look.wrong = 0;
      return;
    }
    look.wrong++;
  }
}
