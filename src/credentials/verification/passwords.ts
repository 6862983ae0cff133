import { whoseOf } from '../../access/principal.js';
import { mostNamesakes } from '../../config/limits.js';
import type { RequestContext } from '../../access/context.js';
import type { StoredPassword } from '../../keyring/password.js';
import type { Secret } from '../../secret.js';
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
    const { secret, username } = password;
    const versions = ofProject(password.versions, one.project);
    const [known] = versions;
    const hashes = versions.flatMap(hashOf);
    // While the previous password works, there are two to compare with, as where two accounts have the user name: each
    // costs a try.
    const names = (hashes.length > 0 ? hashes.map(({ version }) => version) : [known]).map((version) =>
      ctx.keyring.macByOldest('password-attempt', username, placeOfTries(ctx, version)),
    );
    return [{ one, secret, known, hashes, names }];
  });
  if (asked.length === 0) return;
  const granted = await takeAttempts(
    ctx.db,
    asked.flatMap(({ names }) => names),
  );
  let next = 0;
  const looks = asked.map((each) => {
    const open = granted.slice(next, (next += each.names.length));
    return { ...each, open, wrong: new Set<number>() };
  });
  const looked = await Promise.allSettled(looks.map((look) => lookAt(ctx, look)));
  for (const look of looks) if (look.one.match.limited) takeOver(look, looks);
  await giveBackAttempts(
    ctx.db,
    looks.flatMap(({ names, open, wrong }) => names.filter((_, index) => open[index] && !wrong.has(index))),
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
  look.wrong.clear();
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
  /** What each try is counted under. */
  names: readonly Buffer[];
  /** Which of the tries were granted. */
  open: readonly boolean[];
  /** Which of them were guesses: the others are given back. */
  wrong: Set<number>;
}

/** Finds the password that fits. */
async function lookAt({ keyring, principal }: RequestContext, look: Look): Promise<void> {
  const { one, secret, known, hashes, open } = look;
  const whose = whoseOf(principal, one.input.ip);
  // Nobody is told that a password is wrong which was not compared with all that there is.
  one.match = { version: undefined, about: known, limited: !open.every(Boolean) };
  if (open[0] && hashes.length === 0) {
    await keyring.passwordUnmatched(whose, secret);
    look.wrong.add(0);
  }
  for (const [index, { version, stored }] of hashes.entries()) {
    if (!open[index]) continue;
    const { ok, stale } = await keyring.passwordVerifies(whose, secret, stored);
    if (ok) {
      one.match = { version, stale: stale ? secret : undefined };
      look.wrong.clear();
      return;
    }
    look.wrong.add(index);
  }
}

/** Where several accounts have the user name, a project that is named tells which is meant; else the oldest are. */
function ofProject(versions: readonly PresentedCredential[], project: string | null) {
  const there = versions.filter(({ projectId }) => projectId === project);
  if (project !== null && there.length > 0) return there;
  const oldest = [...new Set(versions.map(({ id }) => id))].sort().slice(0, mostNamesakes);
  return versions.filter(({ id }) => oldest.includes(id));
}

// Of one project, or of one account: a name that is none of the caller's has tries of its own, and takes none from its
// owner, nor from another account that has the same.
function placeOfTries({ principal }: RequestContext, version: PresentedCredential | undefined): string {
  if (!version) return `unknown to ${principal.accountId}`;
  return version.projectId === null ? `of account ${version.accountId}` : `of ${version.projectId}`;
}
