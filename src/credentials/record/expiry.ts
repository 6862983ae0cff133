import type { RequestContext } from '../../access/context.js';
import { longestTokenDays, usualTokenDays } from '../../config/limits.js';
import { badInput } from '../../errors.js';
import { dayMs, instant, instantMs } from '../../time.js';
import { CredentialKind, type Credential } from './credential.js';

/**
 * When a credential is to end. Tokens always do, also where nothing is said.
 * @throws BAD_USER_INPUT for a token that would not end.
 */
export function expiryFor(
  { principal, at }: RequestContext,
  { kind, accountId }: Pick<Credential, 'kind' | 'accountId'>,
  expiresAt: string | null | undefined,
): string | null {
  if (kind !== CredentialKind.TOKEN) return expiresAt ?? null;
  if (expiresAt === null)
    throw badInput('input.expiresAt', `is required: a token ends within ${longestTokenDays} days`);
  if (expiresAt !== undefined) return expiresAt;
  const usual = instant(at + usualTokenDays * dayMs);
  // The token of an issuer is short: what is made with it for another is not meant to be.
  const bounded = principal.identity === null || accountId === principal.accountId;
  return bounded && principal.expiresAt && instantMs(principal.expiresAt) < instantMs(usual)
    ? principal.expiresAt
    : usual;
}

/**
 * When a credential is to end, by now: a request that is repeated later may name an instant that is past by then.
 * @throws BAD_USER_INPUT as `expiryFor` does, for an instant that is past by the clock of the database, and for a token
 * that would live too long.
 */
export function checkedExpiry(
  ctx: RequestContext,
  of: Pick<Credential, 'kind' | 'accountId'>,
  expiresAt: string | null | undefined,
): string | null {
  const end = expiryFor(ctx, of, expiresAt);
  if (end === null) return null;
  const leftMs = instantMs(end) - ctx.at;
  if (leftMs <= 0) throw badInput('input.expiresAt', 'must be in the future');
  if (of.kind === CredentialKind.TOKEN && leftMs > longestTokenDays * dayMs)
    throw badInput('input.expiresAt', `must be within ${longestTokenDays} days, for a token`);
  return end;
}
