import { may } from '../../access/authorize.js';
import { Permission } from '../../access/principal.js';
import type { RequestContext } from '../../context.js';
import { sql, type Sql, type Tx } from '../../database/database.js';
import { conflict, forbidden } from '../../errors.js';
import { destinationOf } from './destination.js';
import { reseal } from './reseal.js';
import type { CredentialStore } from '../store.js';

type Addressed = Pick<CredentialStore, 'addresses'>;

/** Whether secrets of the store would be sent to another place than now. */
export const isMove = (from: Addressed, to: Addressed): boolean => destinationOf(from) !== destinationOf(to);

/** Whether Keyway keeps secrets of credentials in the store. */
export const keepsSecrets = async (db: Sql, { id }: Pick<CredentialStore, 'id'>): Promise<boolean> =>
  (await db.rows(anySealed, { id })).length > 0;

/**
 * Lets the secrets that Keyway keeps of a store be sent to another place. Whoever names that place could read each there,
 * so it is for those alone who may be shown all of them: by their rights, and not by owning.
 * @param store locked
 * @throws CONFLICT while a change is under way in the store; FORBIDDEN, and then nothing is changed.
 */
export async function moveSecrets(
  ctx: RequestContext,
  tx: Tx,
  store: Pick<CredentialStore, 'id' | 'addresses'>,
  to: Addressed,
): Promise<void> {
  const { id } = store;
  if ((await tx.rows(changing, { id })).length > 0)
    throw conflict('A credential of this store is being changed: give it another address when that is done.');
  const secrets = await tx.rows<Kept>(kept, { id });
  if (!secrets.every((place) => may(ctx.principal, Permission.CREDENTIAL_REVEAL, place)))
    throw forbidden(
      'The store is to get another address, to which Keyway would send the secrets that it keeps of this store: that takes CREDENTIAL_REVEAL for each of its credentials. Or connect the other address as another store.',
    );
  const [before, after] = [destinationOf(store), destinationOf(to)];
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
