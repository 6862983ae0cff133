import type { Connector, Described, KeptByStore } from '../connectors/connector.js';
import type { RequestContext } from '../context.js';
import type { Tx } from '../database/database.js';
import { conflict, unsupported } from '../errors.js';
import type { Role } from '../roles/role.js';
import type { Credential } from './record/credential.js';
import { describedOf } from './outside/at-store.js';
import type { Lease } from './outside/lease.js';
import { plan, wantedBy } from './outside/plan.js';

/** What a store must keep itself, since it decides by it: recorded here alone it would promise what nobody holds. */
export const enforced = ['enabled', 'allowedIps', 'expiresAt'] as const satisfies readonly KeptByStore[];

/** The changes that have to reach the store; the others are Keyway's own. @throws UNSUPPORTED for what it cannot keep. */
export function reaching({ keeps = [] }: Connector, changes: readonly string[]): boolean {
  const missing = enforced.find((name) => changes.includes(name) && !keeps.includes(name));
  if (missing) throw unsupported(`This store has no setting for ${missing}.`);
  const reach = changes.some((name) => (keeps as readonly string[]).includes(name));
  if (reach && changes.some((name) => name === 'projectId' || name === 'ownerId'))
    throw unsupported('Change what the store keeps, and who answers for it where, one after the other.');
  return reach;
}

/** Puts a change on record that the store has to make. @throws CONFLICT where another one is under way. */
export async function planUpdate(
  ctx: RequestContext,
  tx: Tx,
  credential: Credential,
  columns: Partial<Credential>,
  roles: { names: readonly string[]; changed: readonly Role[] | undefined },
  changed: readonly string[],
): Promise<Lease> {
  if (credential.goneAt !== null || credential.externalId === null)
    throw conflict('Its store does not have it.');
  if (credential.reachesStore && columns.enabled === false)
    throw conflict('Keyway reaches its store with it: updateStore takes another.');
  // Whatever else is recorded here may be old: the store is told of nothing that was not asked for.
  const whole = Object.entries(describedOf({ ...credential, ...columns }, roles.names));
  const described: Partial<Described> = Object.fromEntries(whole.filter(([name]) => changed.includes(name)));
  return plan(tx, wantedBy(ctx), {
    credentialId: credential.id,
    storeId: credential.storeId,
    verb: 'UPDATE',
    details: {
      described,
      columns,
      changed,
      ...(roles.changed && { roles: roles.changed.map(({ id }) => id) }),
    },
  });
}
