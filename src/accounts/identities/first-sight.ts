import type { Identified, Newcomer } from '../../access/principal.js';
import { prefixesOf } from '../../access/issuers/pattern.js';
import { nobody } from '../../audit/decision.js';
import { recordAs } from '../../audit/record.js';
import { longestName } from '../../config/limits.js';
import { sql, violates, type Database, type Sql } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import { newId, parseId } from '../../ids.js';
import { isLine } from '../../inputs/rules.js';
import type { Keyring } from '../../keyring/keyring.js';
import { Account, type AccountKind } from '../account.js';
import { Identity } from '../identity.js';

/**
 * Makes the account of a user who has a token of an issuer and is nobody here yet, where the issuer is set up for that. It
 * has that identity and no grants; what its token brings is its token's. However many of its requests come at once, one
 * account is made. Who has an identity, also by a pattern and also of an account that may not call, is somebody.
 * @returns whether it has an identity by now
 * @throws UNAUTHENTICATED where none is made: the parent is not there or has as many as there may be, or the name is taken
 */
export async function atFirstSight(
  db: Database,
  keyring: Keyring,
  { issuer, subject }: Identified,
  { rule, title }: Newcomer,
  { requestId, ip }: { requestId: string; ip: string | undefined },
): Promise<boolean> {
  const parentId = parseId(rule.parent)?.uuid;
  const named = { issuer, subject, prefixes: prefixesOf(subject) };
  if (!parentId || !isLine(subject, 255)) return false;
  if (await isSomebody(db, named)) return true;
  return db.transaction(async (tx) => {
    // In the order of those who give identities: the account first, and then the turn. So a pattern that is given meanwhile
    // is seen by one of the two.
    if ((await tx.rows(parentHeld, { parentId })).length === 0)
      throw notMade('the parent of new accounts (accounts.parent) is not there, or is disabled');
    await tx.rows(turn, { issuer });
    if (await isSomebody(tx, named)) return true;
    if ((await tx.rows(below, { parentId, most: rule.most })).length >= rule.most)
      throw notMade('there are as many accounts as accounts.most says');
    const id = newId();
    try {
      await tx.em.getRepository(Account).insert({
        id,
        kind: rule.kind as AccountKind,
        name: `${rule.name}-${keyring.mac('identity', issuer, subject, 'name').subarray(0, 10).toString('hex')}`,
        title: isLine(title, longestName) ? title : subject.slice(0, longestName),
        email: null,
        enabled: true,
        mfaRequired: false,
        parentId,
      });
    } catch (error) {
      if (violates(error, 'accounts_name')) throw notMade('the name of the new account is in use');
      throw error;
    }
    await tx.em.getRepository(Identity).insert({ accountId: id, issuer, subject, pattern: false });
    const actor = { ...nobody(requestId, ip ?? null), actorId: id };
    await recordAs(keyring, tx, actor, {
      action: 'account:create',
      target: { type: 'Account', id },
      accountId: id,
      changed: ['identities'],
    });
    return true;
  });
}

async function isSomebody(db: Sql, named: Record<string, unknown>): Promise<boolean> {
  return (await db.rows(somebody, named)).length > 0;
}

const notMade = (cause: string) =>
  new KeywayError('UNAUTHENTICATED', undefined, { cause: `no account was made at first sight: ${cause}` });

const somebody = sql(`
  SELECT 1 AS one FROM identities i
  WHERE i.issuer = :issuer AND (i.subject = :subject AND NOT i.pattern
    OR i.pattern AND i.prefix = ANY(CAST(:prefixes AS text[])) AND CAST(:subject AS text) ~ i.expression)
  LIMIT 1`);

const turn = sql(
  `SELECT pg_advisory_xact_lock(hashtextextended('keyway identities of ' || CAST(:issuer AS text), 0))`,
);

const parentHeld = sql(`
  SELECT p.id FROM accounts p WHERE p.id = :parentId AND p.enabled AND p.deleted_at IS NULL FOR SHARE`);

const below = sql(`
  SELECT 1 AS one FROM accounts a WHERE a.parent_id = :parentId AND a.deleted_at IS NULL
  LIMIT CAST(:most AS integer)`);
