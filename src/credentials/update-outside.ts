import { may } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { callerOf } from '../audit/decision.js';
import type { Connector, Described, KeptByStore, Minted } from '../connectors/connector.js';
import type { RequestContext } from '../access/context.js';
import type { Tx } from '../database/database.js';
import { badInput, conflict, forbidden, unsupported } from '../errors.js';
import type { Role } from '../roles/role.js';
import type { Credential } from './record/credential.js';
import { placeOf } from './record/allowed.js';
import { describedOf } from './outside/at-store.js';
import type { Lease } from './outside/lease.js';
import { nextOutsideWish } from './outside/outside-wish.js';
import { expectIdle, plan } from './outside/plan.js';
import type { UpdateCredentialInput } from './credential.input.js';
import { keepOutside } from './secret/keep-secret.js';
import { beginVersion, nextVersion } from './record/versions.js';

/** What a store must keep itself, since it decides by it: recorded here alone it would promise what nobody holds. */
export const enforced = ['enabled', 'allowedIps', 'expiresAt'] as const satisfies readonly KeptByStore[];

/** The changes that have to reach the store; the others are Keyway's own. @throws UNSUPPORTED for what it cannot keep. */
export function reaching({ keeps = [] }: Connector, changes: readonly string[]): boolean {
  const missing = enforced.find((name) => changes.includes(name) && !keeps.includes(name));
  if (missing) throw unsupported(`This store has no setting for ${missing}.`);
  const reach = changes.some((name) => (keeps as readonly string[]).includes(name));
  if (reach && changes.some((name) => name === 'projectId' || name === 'ownerId'))
    throw unsupported(
      'What the store keeps cannot be changed together with owner or project: send two requests.',
    );
  return reach;
}

/**
 * Whoever names the server that a secret is for could have it sent to one of their own: that is for those who may be shown
 * it. Call it where the caller does not bring the secret along.
 * @throws FORBIDDEN
 */
export function authorizeSending({ principal }: RequestContext, credential: Credential): void {
  if (!may(principal, Permission.CREDENTIAL_REVEAL, placeOf(credential)))
    throw forbidden(
      'Its secret is to be used at another server (baseUrl): that takes CREDENTIAL_REVEAL there, or the present secret along with the change.',
    );
}

type SecretAlong = Pick<UpdateCredentialInput, 'secret' | 'overwriteSecret'>;

/**
 * The secret that the caller gives to go along with a change, as that which the store has; undefined where none is given.
 * @param reaches whether anything of the change has to reach the store
 * @throws BAD_USER_INPUT for one where none goes along, and for what is no secret of the credential's.
 */
export function givenSecret(
  connector: Connector | undefined,
  credential: Credential,
  { secret, overwriteSecret }: SecretAlong,
  reaches: boolean,
): Minted | undefined {
  for (const [name, given] of Object.entries({ secret, overwriteSecret }))
    if (given && !(connector?.secretGoesAlong && reaches))
      throw badInput(`input.${name}`, 'must be left out: no secret goes along with this change');
  if (!connector || !secret) return undefined;
  if (overwriteSecret) throw badInput('input.overwriteSecret', 'must be left out where a secret is given');
  if (secret.password && typeof secret.password.password !== 'string')
    throw badInput('input.secret.password.password', 'is required: the password that the store has');
  return nextOutsideWish(connector, credential, secret).chosen ?? undefined;
}

/** Whether the secret that Keyway has goes along with a change though nothing tells whether the store has it still. */
export const sendsUnseen = (connector: Connector, given: Minted | undefined): boolean =>
  connector.secretGoesAlong === 'undated' && !given;

/** Puts a change on record that the store has to make. @throws CONFLICT where another one is under way. */
export async function planUpdate(
  ctx: RequestContext,
  tx: Tx,
  credential: Credential,
  columns: Partial<Credential>,
  roles: { names: readonly string[]; changed: readonly Role[] | undefined },
  changed: readonly string[],
  secret: { given: Minted | undefined; overwriteSecret: boolean },
): Promise<Lease> {
  if (credential.goneAt !== null || credential.externalId === null)
    throw conflict('The store does not have this credential.');
  if (credential.reachesStore && columns.enabled === false)
    throw conflict(
      'Keyway itself uses this credential to reach the store: give the store another one first, by updateStore.',
    );
  // Whatever else is recorded here may be old: the store is told of nothing that was not asked for.
  const whole = Object.entries(describedOf({ ...credential, ...columns }, roles.names));
  const described: Partial<Described> = Object.fromEntries(whole.filter(([name]) => changed.includes(name)));
  const version = secret.given ? await keepGiven(ctx, tx, credential, secret.given) : null;
  return plan(tx, callerOf(ctx), {
    credentialId: credential.id,
    storeId: credential.storeId,
    verb: 'UPDATE',
    version,
    details: {
      ...(secret.overwriteSecret && { overwriteSecret: true }),
      described,
      columns,
      changed,
      ...(roles.changed && { roles: roles.changed.map(({ id }) => id) }),
    },
  });
}

/** The secret that is to go along, until the store has taken it; its number. */
async function keepGiven(
  { keyring }: RequestContext,
  tx: Tx,
  credential: Credential,
  given: Minted,
): Promise<number> {
  const { id: credentialId } = credential;
  await expectIdle(tx, credentialId);
  const { to: number } = await nextVersion(tx, credentialId);
  const kept = await keepOutside(keyring, tx, credential, number, given);
  await beginVersion(tx, { credentialId, number, state: 'PENDING', accessKey: given.accessKey, ...kept });
  return number;
}
