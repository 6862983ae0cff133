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
 * and of patterns the one with the longer beginning. So who adds one may take users away from another account, or get
 * those that another one loses. It takes who manages that account, too; others are told what they are told of an identity
 * that is in use. Two of different accounts that begin alike must not overlap, since neither would come first.
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
  for (const { issuer, subject, prefix, expression } of concerned.filter(({ pattern }) => pattern)) {
    const within = { issuer, prefix, end: `${prefix}\u{10ffff}`, accountId };
    expectManaged(principal, await tx.rows(subjectsWithin, { ...within, expression }));
    const near = await tx.rows<Pick<Identity, 'accountId' | 'subject' | 'prefix'>>(patternsNear, {
      ...within,
      prefixes: prefixesOf(prefix ?? ''),
    });
    const overlapping = near.filter((other) => overlap(subject, other.subject));
    expectManaged(principal, overlapping);
    if (overlapping.some((other) => other.prefix === prefix))
      throw conflict(
        'A pattern of another account begins with the same letters, and matches some of the same users.',
      );
    if (near.filter((other) => other.prefix === prefix).length >= mostAlikePatterns)
      throw conflict(`There are ${mostAlikePatterns} patterns that begin like one of these.`);
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

const subjectsWithin = sql(`
  SELECT DISTINCT i.account_id AS "accountId" FROM identities i
  WHERE i.issuer = :issuer AND NOT i.pattern AND i.subject >= :prefix AND i.subject < :end
    AND i.subject ~ CAST(:expression AS text) AND i.account_id <> :accountId`);

const patternsNear = sql(`
  SELECT i.account_id AS "accountId", i.subject, i.prefix FROM identities i
  WHERE i.issuer = :issuer AND i.pattern AND i.account_id <> :accountId
    AND (i.prefix = ANY(CAST(:prefixes AS text[])) OR i.prefix >= :prefix AND i.prefix < :end)`);
