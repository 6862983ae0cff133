import { may } from '../../access/authorize.js';
import { overlap, prefixesOf } from '../../access/issuers/pattern.js';
import { Permission, type Principal } from '../../access/principal.js';
import { mostAlikePatterns } from '../../config/limits.js';
import { sql, type Tx } from '../../database/database.js';
import { conflict } from '../../errors.js';
import type { Identity } from '../identity.js';

/** An identity that an account is about to get. */
export type NewIdentity = Pick<Identity, 'issuer' | 'subject' | 'pattern' | 'prefix' | 'expression'>;

/**
 * Where a pattern is in play, one user may fit several identities: one that is the user's own is taken before a pattern,
 * and of patterns the one with the longer beginning. So who adds one that is no pattern may take a user away from another
 * account. It takes who manages that account, too; others are told what they are told of an identity that is in use. (A
 * pattern takes who manages all accounts.) Two patterns of different accounts that begin alike must not overlap, since
 * neither would come first.
 * @throws CONFLICT
 */
export async function authorizeOverlaps(
  principal: Principal,
  tx: Tx,
  accountId: string,
  added: readonly NewIdentity[],
): Promise<void> {
  const asked = added.map((identity) => ({ ...identity, prefixes: prefixesOf(identity.subject) }));
  const concerned = asked.filter(({ pattern, prefixes }) => pattern || prefixes.length > 0);
  if (concerned.length === 0) return;
  // One after another: each sees what those before it have added.
  await tx.rows(turns, { issuers: [...new Set(concerned.map(({ issuer }) => issuer))] });
  const single = concerned.filter(({ pattern }) => !pattern);
  expectManaged(
    principal,
    await tx.rows<Pick<Identity, 'accountId'>>(patternsOfEach, { asked: JSON.stringify(single), accountId }),
  );
  for (const { issuer, subject, prefix } of concerned.filter(({ pattern }) => pattern)) {
    const most = mostAlikePatterns;
    const alike = await tx.rows<Pick<Identity, 'subject'>>(patternsAlike, {
      issuer,
      prefix,
      accountId,
      most,
    });
    if (alike.length >= most) throw conflict(`There are ${most} patterns that begin like one of these.`);
    if (alike.some((other) => overlap(subject, other.subject)))
      throw conflict(
        'A pattern of another account begins with the same letters, and matches some of the same users.',
      );
  }
}

function expectManaged(principal: Principal, others: readonly Pick<Identity, 'accountId'>[]): void {
  if (!others.every(({ accountId }) => may(principal, Permission.ACCOUNT_MANAGE, { accountId })))
    throw conflict('An identity belongs to another account.');
}

const turns = sql(`
  SELECT pg_advisory_xact_lock(hashtextextended('keyway identities of ' || ordered.issuer, 0))
  FROM (SELECT asked.issuer FROM unnest(CAST(:issuers AS text[])) AS asked (issuer) ORDER BY asked.issuer) ordered`);

const patternsOfEach = sql(`
  SELECT DISTINCT i.account_id AS "accountId"
  FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS asked (issuer text, subject text, prefixes text[])
  JOIN identities i ON i.issuer = asked.issuer AND i.pattern AND i.prefix = ANY(asked.prefixes)
    AND asked.subject ~ i.expression
  WHERE i.account_id <> :accountId`);

const patternsAlike = sql(`
  SELECT i.subject FROM identities i
  WHERE i.issuer = :issuer AND i.pattern AND i.account_id <> :accountId AND i.prefix = :prefix
  LIMIT CAST(:most AS integer)`);
