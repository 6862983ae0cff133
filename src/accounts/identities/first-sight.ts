import type { Identified, Newcomer } from '../../access/principal.js';
import { prefixesOf } from '../../access/issuers/pattern.js';
import { nobody } from '../../audit/decision.js';
import { recordAs } from '../../audit/record.js';
import { longestName } from '../../config/limits.js';
import { sql, violates, type Database, type Sql, type Tx } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import { newId, parseId } from '../../ids.js';
import { isLine } from '../../inputs/rules.js';
import type { Keyring } from '../../keyring/keyring.js';
import { Account, type AccountKind } from '../account.js';
import { Identity } from '../identity.js';
import { tagsOfIdentity } from '../keep-identities.js';

/**
 * Makes the accounts of users who have a token of an issuer and are nobody here yet, where the issuer is set up for that.
 * Where none can be made for an issuer, it remembers that for a while: whoever has its tokens costs no more than to be looked
 * for.
 */
export class FirstSights {
  /** Issuers for which none can be made, why, and until when that is believed. */
  readonly #closed = new Map<string, { cause: string; untilMs: number }>();

  constructor(private readonly keyring: Keyring) {}

  /**
   * The account has that identity and no grants; what its token brings is its token's. However many of its requests come at
   * once, one account is made. Who has an identity, also by a pattern and also of an account that may not call, is somebody.
   * @returns whether it has an identity by now
   * @throws UNAUTHENTICATED where none is made: the parent is not there or has as many as there may be, the name is taken, or
   * the user was shut out before an older state of the database was put back
   */
  async admit(db: Database, identified: Identified, newcomer: Newcomer, from: From): Promise<boolean> {
    const { issuer, subject } = identified;
    const parentId = parseId(newcomer.rule.parent)?.uuid;
    if (!parentId || !isLine(subject, 255)) return false;
    const one: One = { issuer, subject, parentId, ...newcomer };
    if (await isSomebody(db, one)) return true;
    const closed = this.#closed.get(issuer);
    if (closed && performance.now() < closed.untilMs) throw notMade(closed.cause);
    try {
      await expectWelcome(db, this.keyring, one);
      await expectRoom(db, one);
      return await db.transaction((tx) => make(tx, this.keyring, one, from));
    } catch (error) {
      if (error instanceof Closed)
        this.#closed.set(issuer, { cause: error.why, untilMs: performance.now() + closedMs });
      // It was given to an account meanwhile, or another request of the user's was first.
      const isMeanwhile = error instanceof KeywayError || violates(error, 'identities_pkey');
      if (isMeanwhile && (await isSomebody(db, one))) return true;
      if (violates(error, 'identities_pkey')) return false;
      throw error;
    }
  }
}

const closedMs = 3_000;

/** What is on record of the request. */
interface From {
  requestId: string;
  ip: string | undefined;
}

/** The user, and where its account would be. */
interface One extends Newcomer {
  issuer: string;
  subject: string;
  parentId: string;
}

async function make(tx: Tx, keyring: Keyring, one: One, { requestId, ip }: From): Promise<boolean> {
  const { issuer, subject, parentId, rule, title } = one;
  // In the order of those who give identities: the account first, and then the turn. So a pattern that is given meanwhile
  // is seen by one of the two.
  await tx.rows(parentHeld, { parentId });
  await tx.rows(turn, { issuer });
  if (await isSomebody(tx, one)) return true;
  await expectRoom(tx, one);
  const id = newId();
  const [name = ''] = namesFor(keyring, one);
  try {
    await tx.em.getRepository(Account).insert({
      id,
      kind: rule.kind as AccountKind,
      name,
      title: isLine(title, longestName) ? title : subject.slice(0, longestName),
      email: null,
      enabled: true,
      mfaRequired: false,
      parentId,
    });
  } catch (error) {
    if (violates(error, 'accounts_name')) throw notMade(nameTaken);
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
}

/** Its name, and those that it would have got by the keys before. */
const namesFor = (keyring: Keyring, { issuer, subject, rule }: One): string[] =>
  keyring
    .macs('identity', issuer, subject, 'name')
    .map(({ tag }) => `${rule.name}-${tag.subarray(0, 10).toString('hex')}`);

async function isSomebody(db: Sql, { issuer, subject }: One): Promise<boolean> {
  return (await db.rows(somebody, { issuer, subject, prefixes: prefixesOf(subject) })).length > 0;
}

/** @throws UNAUTHENTICATED for who has lost an account that is there, or that was there before a restore. */
async function expectWelcome(db: Sql, keyring: Keyring, one: One): Promise<void> {
  const tags = tagsOfIdentity(keyring, { issuer: one.issuer, subject: one.subject, pattern: false });
  const [known] = await db.rows<{ named: boolean; out: boolean }>(knownBefore, {
    names: namesFor(keyring, one),
    tags,
  });
  if (known?.named) throw notMade(nameTaken);
  if (known?.out) throw notMade('the user was shut out before an older state of the database was put back');
}

/** @throws Closed */
async function expectRoom(db: Sql, { parentId, rule }: One): Promise<void> {
  const [room] = await db.rows<{ open: boolean; count: number }>(roomBelow, { parentId, most: rule.most });
  if (!room?.open)
    throw new Closed('the parent of new accounts (accounts.parent) is not there, or is disabled');
  if (room.count >= rule.most) throw new Closed('there are as many accounts as accounts.most says');
}

const saying = (why: string) => `no account was made at first sight: ${why}`;

/** None is made for anybody of this issuer. */
class Closed extends KeywayError {
  constructor(readonly why: string) {
    super('UNAUTHENTICATED', undefined, { cause: saying(why) });
  }
}

const notMade = (why: string) => new KeywayError('UNAUTHENTICATED', undefined, { cause: saying(why) });

const nameTaken = 'the name of the new account is in use';

const somebody = sql(`
  SELECT 1 AS one FROM identities i
  WHERE i.issuer = :issuer AND (i.subject = :subject AND NOT i.pattern
    OR i.pattern AND i.prefix = ANY(CAST(:prefixes AS text[])) AND CAST(:subject AS text) ~ i.expression)
  LIMIT 1`);

const turn = sql(
  `SELECT pg_advisory_xact_lock(hashtextextended('keyway identities of ' || CAST(:issuer AS text), 0))`,
);

const parentHeld = sql('SELECT id FROM accounts WHERE id = :parentId FOR SHARE');

const knownBefore = sql(`
  SELECT EXISTS (SELECT FROM accounts WHERE name = ANY(CAST(:names AS text[])) AND deleted_at IS NULL) AS named,
    EXISTS (SELECT FROM identities_shut_out WHERE tag = ANY(CAST(:tags AS text[]))) AS out`);

const roomBelow = sql(`
  SELECT EXISTS (SELECT FROM accounts p WHERE p.id = :parentId AND p.enabled AND p.deleted_at IS NULL) AS open,
    (SELECT CAST(count(*) AS integer) FROM (
      SELECT FROM accounts a WHERE a.parent_id = :parentId AND a.deleted_at IS NULL LIMIT CAST(:most AS integer)
    ) below) AS count`);
