import { may } from '../../access/authorize.js';
import { Permission } from '../../access/principal.js';
import type { RequestContext } from '../../access/context.js';
import { sql, type Sql, type Tx } from '../../database/database.js';
import { conflict, forbidden } from '../../errors.js';
import { destinationOf } from './destination.js';
import { reseal } from './reseal.js';
import type { CredentialStore } from '../store.js';

type Addressed = Pick<CredentialStore, 'addresses'>;

/** Whether Keyway keeps secrets of credentials in the store. */
export const keepsSecrets = async (db: Sql, { id }: Pick<CredentialStore, 'id'>): Promise<boolean> =>
  (await db.rows(anySealed, { id })).length > 0;

/**
 * Lets the secrets that Keyway keeps of a store be sent where another connection leads: to another address, or at the same
 * one to another tenant, whose token, workspace or certificate authority that is. Whoever names that place could use or
 * read each there, so it is for those alone who may be shown all of them: by their rights, and not by owning.
 * @param store locked
 * @throws CONFLICT for another address while a change is under way in the store; FORBIDDEN, and then nothing is changed.
 */
export async function moveSecrets(
  ctx: RequestContext,
  tx: Tx,
  store: Pick<CredentialStore, 'id' | 'addresses'>,
  to: Addressed,
): Promise<void> {
  const { id } = store;
  const [before, after] = [destinationOf(store), destinationOf(to)];
  if (before !== after && (await tx.rows(changing, { id })).length > 0)
    throw conflict('A credential of this store is being changed: give it another address when that is done.');
  const secrets = await tx.rows<Kept>(kept, { id });
  if (!secrets.every((place) => may(ctx.principal, Permission.CREDENTIAL_REVEAL, place)))
    throw forbidden(
      'The store is to get another connection, by which Keyway would send the secrets that it keeps of this store: that takes CREDENTIAL_REVEAL for each of its credentials. Or connect it as another store.',
    );
  if (before === after) return;
  await reseal(
    ctx.keyring,
    tx,
    secrets.map(({ number, sealed, ...place }) => ({
      id: place.id,
      number,
      sealed,
      from: { ...place, destination: before },
      to: { ...place, destination: after },
    })),
  );
}

interface Kept {
  id: string;
  accountId: string;
  projectId: string | null;
  number: number;
  sealed: Buffer;
}

const anySealed = sql(`
  SELECT v.number FROM credentials c JOIN credential_versions v ON v.credential_id = c.id AND v.sealed IS NOT NULL
  WHERE c.store_id = :id LIMIT 1`);
const changing = sql(`
  SELECT i.id FROM intents i WHERE i.store_id = :id AND i.state = 'OPEN'
  UNION ALL SELECT l.id FROM leftovers l WHERE l.store_id = :id LIMIT 1`);
const kept = sql(`
  SELECT c.id, c.account_id AS "accountId", c.project_id AS "projectId", v.number, v.sealed
  FROM credentials c JOIN credential_versions v ON v.credential_id = c.id AND v.sealed IS NOT NULL
  WHERE c.store_id = :id ORDER BY c.id, v.number`);
