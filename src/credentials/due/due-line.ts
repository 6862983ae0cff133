import type { Account } from '../../accounts/account.js';
import { works } from '../../access/works.js';
import { sql, type Sql } from '../../database/database.js';
import type { Waiting } from '../../shares/slots.js';
import { nextInTurn } from '../../shares/tenant.js';
import type { StoreKind } from '../../stores/store.js';

/** A credential that its policy wants rotated by now, and whose owner's turn it is. */
export interface Due extends Waiting {
  ownerId: string;
  storeId: string;
  storeKind: StoreKind;
  accountKind: Account['kind'];
}

/** How many credentials are taken for the latest of all, how many of one owner are looked at, and how many owners. */
const mostLate = 250;
const mostOfOwner = 50;
const mostOwners = 500;
/** How much later than at first something is tried again, at the latest. */
const longestAgain = 10;

/**
 * Finds what is due, in a time that does not grow with how much that is. Where little is late, all its owners are looked
 * at; else the owners of what is late the longest, and so many others, who come in turn.
 */
export class DueLine {
  /** The owner who had the last turn to be looked at; null where none had. */
  #after: string | null = null;

  constructor(readonly db: Sql) {}

  /**
   * What comes next. Of one owner it is what was not tried yet, and of that what is late the longest; else what was
   * tried first.
   * @param againMs how soon what was tried is tried again
   */
  async next(asked: object, againMs: number): Promise<Due[]> {
    const [owners] = await this.db.rows<Owners>(ownersNext, { after: this.#after, againMs });
    if (!owners) return [];
    this.#after = owners.last;
    return this.db.rows<Due>(dueOf, { ...asked, ids: owners.ids, isFull: owners.isFull, againMs });
  }
}

interface Owners {
  ids: string[];
  /** Whether there may be more that is late than what was looked at. */
  isFull: boolean;
  /** The last whose turn it was; null where it is the first again. */
  last: string | null;
}

// Keys of a provider are for the caller to bring, what Keyway reaches a store with is for those who manage the store, and
// a secret that nobody could fetch would be lost to those who use it. That much its row tells for as long as nobody
// changes it, and the indexes of what is due hold no other rows: their conditions are these words.
const mayTurn = `c.rotation_due_at IS NOT NULL AND c.retrievable AND c.kind <> 'PROVIDER_KEYS' AND NOT c.reaches_store
  AND c.parent_id IS NULL AND c.enabled AND c.standing = 'KNOWN' AND c.revoked_at IS NULL AND c.deleted_at IS NULL
  AND c.gone_at IS NULL AND c.ending_since IS NULL AND c.abandoned_at IS NULL
  AND coalesce(c.expires_at, 'infinity') > c.rotation_due_at`;

/**
 * SQL for whether a credential `c` is due and can be rotated. A previous secret that was promised to work until a certain
 * time, after a rotation by hand, works until then.
 */
export const turnable = `c.rotation_due_at <= now() AND ${mayTurn} AND ${works}
  AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.credential_id = c.id AND i.state = 'OPEN' AND i.verb <> 'RETIRE')
  AND NOT EXISTS (SELECT 1 FROM credential_versions v
    WHERE v.credential_id = c.id AND v.state = 'PREVIOUS' AND v.valid_until > now())`;

const owner = 'coalesce(c.owner_id, c.account_id)';
// When it was tried since it has been due, where it was; and from when on it is tried again: after half the time that it
// was late then.
const tried =
  "CASE WHEN c.rotation_tried_at >= c.rotation_due_at THEN c.rotation_tried_at ELSE CAST('-infinity' AS timestamptz) END";
const again = "CAST(:againMs AS double precision) * interval '1 millisecond'";
const isReady = `${tried}
  + least(greatest((c.rotation_tried_at - c.rotation_due_at) / 2, ${again}), ${longestAgain} * ${again}) <= now()`;

/** What comes first, of what was not tried yet or of what was: read by an index from its beginning. */
const first = (where: string, most: number) =>
  `SELECT c.*, ${tried} AS tried_at FROM credentials c WHERE ${mayTurn} AND ${where}
    ORDER BY ${tried}, c.rotation_due_at LIMIT ${most}`;
const untried = `${tried} = '-infinity' AND c.rotation_due_at <= now()`;
const triedBefore = `${tried} > '-infinity' AND ${tried} <= now() - ${again}`;

const ownersNext = sql(`
  WITH RECURSIVE late AS MATERIALIZED (
    SELECT ${owner} AS owner_id FROM (${first(untried, mostLate)}) c
    UNION ALL
    SELECT ${owner} FROM (${first(triedBefore, mostLate)}) c
  ), in_turn (owner_id, count) AS (
    SELECT coalesce(CAST(:after AS uuid), '00000000-0000-0000-0000-000000000000'), 0
    WHERE (SELECT count(*) FROM late) >= ${mostLate}
    UNION ALL
    SELECT (SELECT ${owner} FROM credentials c WHERE ${mayTurn} AND ${owner} > t.owner_id ORDER BY ${owner} LIMIT 1),
      t.count + 1
    FROM in_turn t WHERE t.owner_id IS NOT NULL AND t.count < ${mostOwners}
  )
  SELECT ARRAY(
      SELECT late.owner_id FROM late UNION SELECT t.owner_id FROM in_turn t WHERE t.owner_id IS NOT NULL AND t.count > 0
    ) AS ids,
    EXISTS (SELECT FROM in_turn) AS "isFull", (SELECT t.owner_id FROM in_turn t ORDER BY t.count DESC LIMIT 1) AS last`);

const untriedOf = first(`${owner} = o.owner_id AND ${untried}`, mostOfOwner);
const triedOf = first(`${owner} = o.owner_id AND ${triedBefore}`, mostOfOwner);
const canTurn = `${turnable} AND NOT c.id = ANY(CAST(:running AS uuid[]))`;
// Where there is more than is looked at, what is in front and cannot turn goes behind all others, as what was tried.
const dueOf = sql(`
  WITH looked AS MATERIALIZED (
    SELECT o.owner_id, coalesce(
      (SELECT c.id FROM (${untriedOf}) c WHERE ${canTurn} ORDER BY c.rotation_due_at LIMIT 1),
      (SELECT c.id FROM (${triedOf}) c WHERE ${canTurn} AND ${isReady} ORDER BY c.tried_at, c.rotation_due_at LIMIT 1)) AS id
    FROM unnest(CAST(:ids AS uuid[])) AS o (owner_id) LEFT JOIN rotation_turns t ON t.owner_id = o.owner_id
    WHERE coalesce(t.next_at, '-infinity') <= now()
  ), put_off AS (
    UPDATE credentials SET rotation_tried_at = now() WHERE id = ANY(ARRAY(
      SELECT s.id FROM credentials s WHERE s.id = ANY(ARRAY(
        SELECT c.id FROM looked o CROSS JOIN LATERAL (
          SELECT c.*, count(*) OVER () AS many FROM (${untriedOf}) c
          UNION ALL
          SELECT c.*, count(*) OVER () FROM (${triedOf}) c
        ) c
        WHERE o.id IS NULL AND (CAST(:isFull AS boolean) OR c.many = ${mostOfOwner})
          AND ${isReady} AND NOT c.id = ANY(CAST(:running AS uuid[])) LIMIT ${mostLate}))
      FOR NO KEY UPDATE SKIP LOCKED))
  )
  SELECT c.id, next.tenant, ${owner} AS "ownerId", c.store_id AS "storeId", s.kind AS "storeKind", a.kind AS "accountKind"
  FROM (${nextInTurn(`
    SELECT c.id, c.account_id, greatest(${tried}, c.rotation_due_at) AS at FROM looked o JOIN credentials c ON c.id = o.id`)}
  ) next
  JOIN credentials c ON c.id = next.id JOIN stores s ON s.id = c.store_id JOIN accounts a ON a.id = c.account_id`);
