import { addressAllowed } from '../../access/addresses.js';
import { takeNonces } from '../../access/nonces.js';
import { Permission } from '../../access/principal.js';
import { AuditOutcome } from '../../audit/audit-event.js';
import { callerOf, decisionOf } from '../../audit/decision.js';
import type { RequestContext } from '../../access/context.js';
import { takeUses } from '../limits/take.js';
import { forbidden, KeywayError, thoughChanged } from '../../errors.js';
import { decodeId } from '../../inputs/decode-id.js';
import { renewProven } from './renew-hashes.js';
import { mostVerified } from '../../config/limits.js';
import { lookAtPasswords } from './passwords.js';
import { presentedCredentials, type PresentedCredential } from './presented.js';
import { matched, proofOf } from './proof.js';
import { VerificationCode, type VerifyCredentialPayload } from './verification.js';
import type { VerifyCredentialInput } from './verification.input.js';
import type { Case } from './case.js';

/**
 * Tells of each presented credential whether it is good, in order. Whatever their number, this costs one statement for
 * keys and tokens, one more for signatures, two more for passwords, and one more where credentials have limits; all of
 * them ask the database itself. What is good in every other way is counted as used, also where the answer is lost. What is
 * not valid is counted by its address: for each one of which this process has no block, a statement more, side by side.
 *
 * Unknown, wrong and hidden from the caller are one answer, NOT_VALID. A reason is told where the secret was right.
 * @param path what stands before the names of fields in errors: `input.`
 * @throws FORBIDDEN for a caller who may verify nowhere; LIMIT_EXCEEDED for too many at once; BAD_USER_INPUT for an id of
 * another type; UNAVAILABLE where too many passwords wait, or the key that a secret is sealed under is missing.
 */
export async function verifyCredentials(
  ctx: RequestContext,
  inputs: readonly VerifyCredentialInput[],
  path?: string,
): Promise<VerifyCredentialPayload[]> {
  if (!ctx.principal.rights.has(Permission.CREDENTIAL_VERIFY)) throw forbidden();
  if (inputs.length > mostVerified) {
    throw new KeywayError(
      'LIMIT_EXCEEDED',
      `${inputs.length} credentials are to be verified; ${mostVerified} are allowed at once.`,
      { limit: 'verifiedAtOnce' },
    );
  }
  const all = inputs.map((input, index) => opened(ctx, input, path ?? `inputs.${index}.`));
  const cases: Case[] = [];
  for (const one of all)
    if (one.input.ip && !ctx.allowance.mayVerify(one.input.ip)) limit(one);
    else cases.push(one);
  if (cases.length > 0) await judge(ctx, cases);
  await counting(async () => all.forEach((one) => note(ctx, one)));
  return all.map(verdict);
}

async function judge(ctx: RequestContext, cases: readonly Case[]): Promise<void> {
  const found = await presentedCredentials(
    ctx,
    cases.map(({ proof, project }) => ({ keys: proof.keys, project })),
  );
  await Promise.all(cases.map(async (one) => (one.match = await matched(ctx, one.proof, found))));
  await counting(async () => {
    await lookAtPasswords(ctx, cases);
    for (const one of cases) one.code = judged(one);
    await refuseRepeated(ctx, cases);
    await countUses(ctx, cases);
    await renewProven(ctx, cases);
    await countGuesses(ctx, cases);
  });
}

/** What is counted stays so where the rest fails, or the answer to it is lost: nobody is told that nothing was changed. */
async function counting(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw thoughChanged(
      error,
      'A part cannot be reached just now; what was presented may have been counted as used.',
    );
  }
}

/**
 * Counts what was not valid by the address that the service tells. Without one nothing is counted: what was presented is
 * known to others than its holder, who would be locked out.
 */
async function countGuesses(ctx: RequestContext, cases: readonly Case[]): Promise<void> {
  const counts = new Map<string, number>();
  for (const { code, input } of cases)
    if (code === VerificationCode.NOT_VALID && input.ip)
      counts.set(input.ip, (counts.get(input.ip) ?? 0) + 1);
  await Promise.all([...counts].map(([ip, count]) => ctx.allowance.countGuesses(ip, count)));
}

function limit(one: Case): void {
  one.match = { version: undefined, limited: true };
  one.code = judged(one);
}

export const isGood = (code: VerificationCode): boolean =>
  code === VerificationCode.VALID || code === VerificationCode.VALID_PREVIOUS_SECRET;

const opened = (ctx: RequestContext, input: VerifyCredentialInput, path: string): Case => ({
  input,
  proof: proofOf(ctx, input),
  project: input.project ? decodeId('Project', input.project, `${path}project`) : null,
  match: { version: undefined },
  code: VerificationCode.NOT_VALID,
  retryAfter: null,
});

function judged({ match: { version, limited }, input, project }: Case): VerificationCode {
  if (limited) return VerificationCode.RATE_LIMITED;
  if (!version) return VerificationCode.NOT_VALID;
  if (project !== null && project !== version.projectId) return VerificationCode.NOT_VALID;
  if (version.fault) return VerificationCode[version.fault];
  const ip = input.ip ?? undefined;
  if (!addressAllowed(ip, version.allowedIps) || !addressAllowed(ip, version.parentIps ?? []))
    return VerificationCode.IP_NOT_ALLOWED;
  const carried = new Set(version.roles.map(({ name }) => name));
  if (!(input.roles ?? []).every((role) => carried.has(role))) return VerificationCode.ROLE_MISSING;
  return version.previous ? VerificationCode.VALID_PREVIOUS_SECRET : VerificationCode.VALID;
}

/** Takes each signed request once, over all replicas: one that was seen before is not valid. */
async function refuseRepeated(ctx: RequestContext, cases: readonly Case[]): Promise<void> {
  const signed = cases.flatMap((one) => {
    const { version } = one.match;
    return one.proof.by === 'signature' && version && isGood(one.code)
      ? [{ one, use: { credentialId: version.id, nonce: one.proof.claim.nonce } }]
      : [];
  });
  if (signed.length === 0) return;
  const taken = await takeNonces(
    ctx.db,
    signed.map(({ use }) => use),
  );
  signed.forEach(({ one }, index) => {
    if (!taken[index]) one.code = VerificationCode.NOT_VALID;
  });
}

/** Counts what is good as used, where the credential has limits: what is beyond them is refused. */
async function countUses(ctx: RequestContext, cases: readonly Case[]): Promise<void> {
  const limited = cases.flatMap((one) => {
    const id = one.match.version?.limitedBy;
    return id && isGood(one.code) ? [{ one, wanted: { id, cost: one.input.cost ?? 1 } }] : [];
  });
  if (limited.length === 0) return;
  const uses = await takeUses(
    ctx.db,
    limited.map(({ wanted }) => wanted),
  );
  limited.forEach(({ one }, index) => {
    if (uses[index]?.taken) return;
    one.code = VerificationCode.RATE_LIMITED;
    one.retryAfter = uses[index]?.retryAfter ?? null;
  });
}

/** Notes the use, and the decision. @throws UNAVAILABLE where too many decisions wait to be recorded. */
function note(ctx: RequestContext, { code, match }: Case): void {
  const { principal, decisions, lastUsed, telemetry } = ctx;
  telemetry.verified(code);
  const known: PresentedCredential | undefined = match.version ?? match.about;
  const caller = callerOf(ctx);
  const action = 'credential:verify';
  const ending = {
    outcome: isGood(code) ? AuditOutcome.DONE : AuditOutcome.REFUSED,
    code: code === VerificationCode.VALID ? null : code,
  };
  const crowd = decisionOf(caller, { action, accountId: principal.accountId }, ending);
  const told = known && decisionOf(caller, { action, ...aboutCredential(known) }, ending);
  decisions.note(told ?? crowd, crowd);
  if (known) lastUsed.verified(known.id, isGood(code) ? known.number : null, ctx.at);
}

const aboutCredential = ({ id, accountId, projectId }: PresentedCredential) => ({
  target: { type: 'Credential' as const, id },
  accountId,
  projectId,
});

/** Whoever is not good is not told of, but where the secret was right. */
function verdict({ code, retryAfter, match: { version } }: Case): VerifyCredentialPayload {
  const told = code !== VerificationCode.NOT_VALID && version;
  return {
    valid: isGood(code),
    code,
    retryAfter,
    found: told
      ? {
          id: version.id,
          kind: version.kind,
          name: version.name,
          accessKey: version.accessKey,
          accountId: version.accountId,
          projectId: version.projectId,
          roles: version.roles,
          mfaAuthenticated: version.mfaAuthenticated,
          expiresAt: version.expiresAt,
        }
      : null,
  };
}
