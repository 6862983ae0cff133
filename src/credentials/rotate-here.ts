import type { Minted, Wish } from '../connectors/connector.js';
import { type Database, type ReadRow, type Statement, type Tx } from '../database/database.js';
import { together, type Part } from '../database/joined.js';
import { durationMs, instant } from '../time.js';
import type { Credential } from './record/credential.js';
import { derivedHeld, endOrphans } from './record/end.js';
import { columnsOfChanged } from './record/find.js';
import { openHeld, rotationDone } from './record/rotations.js';
import {
  currentMakesWay,
  turnAsked,
  turnOf,
  versionBegun,
  versionsHeld,
  type Turn,
} from './record/versions.js';
import type { Kept } from './secret/keep-secret.js';

/** The next secret of a credential of Keyway's own store. */
export interface NextSecret extends Turn {
  wish: Wish;
  minted: Minted;
  kept: Kept;
  graceMs: number;
  /** The account that wants it; nobody, where a policy does. */
  by: string | null;
  atMs: number;
}

/**
 * Locks what a rotation changes besides the row of the credential, and reads what it goes on from: parts of a statement
 * after that which waits for the row, in the order in which jobs lock the same.
 */
export const turnHeld = (id: string): Part[] => [
  versionsHeld(id),
  openHeld(id),
  derivedHeld(id),
  turnAsked(id),
];

/** What those brought. */
export const heldTurn = ([, , derived = [], numbers = []]: readonly (readonly ReadRow[])[]) => ({
  turn: turnOf(numbers),
  isParent: Number(derived[0]?.['count']) > 0,
});

/**
 * Brings in the new secret and sends the one before into its grace period, in one statement, which `atOnce` may be left
 * to send.
 * @returns its parts: the first brings the credential as it then is.
 */
export function switching(
  db: Database,
  { id, rotateEvery }: Credential,
  { from, to, wish, minted, kept, graceMs, by, atMs }: NextSecret,
): Part[] {
  return [
    {
      statement: turned(db),
      parameters: {
        id,
        graceMs,
        hasPrefix: 'prefix' in wish,
        prefix: 'prefix' in wish ? wish.prefix : null,
        format: wish.kind === 'ACCESS_KEY' ? wish.format : null,
        dueAt: rotateEvery && instant(atMs + durationMs(rotateEvery)),
      },
    },
    ...currentMakesWay(id, from, graceMs),
    versionBegun(db, {
      credentialId: id,
      number: to,
      state: 'CURRENT',
      accessKey: minted.accessKey,
      ...kept,
    }),
    ...rotationDone(id, { from, to, startedById: by, graceMs }),
  ];
}

/** Does so by itself, and ends what was derived from a secret that works no longer. */
export async function switchTo(
  db: Database,
  tx: Tx,
  credential: Credential,
  next: NextSecret,
): Promise<void> {
  await together(db, tx, switching(db, credential, next));
  await endOrphans(tx, [credential.id]);
}

// It rotates until its previous secret ends: only one that was in use until now has such an end.
const turned = (db: Database): Statement =>
  db.statement(
    'credential turned',
    () => `
  UPDATE credentials AS c SET
    rotating_until = (SELECT now() + CAST(:graceMs AS double precision) * interval '1 millisecond'
      FROM credential_versions WHERE credential_id = c.id AND state = 'CURRENT' AND CAST(:graceMs AS double precision) > 0),
    secret_prefix = CASE WHEN CAST(:hasPrefix AS boolean) THEN CAST(:prefix AS text) ELSE c.secret_prefix END,
    secret_format = coalesce(CAST(:format AS text), c.secret_format),
    rotation_due_at = coalesce(CAST(:dueAt AS timestamptz), c.rotation_due_at), standing = 'KNOWN',
    revision = c.revision + 1, updated_at = now()
  WHERE c.id = CAST(:id AS uuid)
  RETURNING ${columnsOfChanged(db)}`,
  );
