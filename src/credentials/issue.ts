import { withinRanges } from '../access/addresses.js';
import { authorize, may, ownerMay } from '../access/authorize.js';
import { Permission } from '../access/principal.js';
import { record } from '../audit/record.js';
import { mint } from '../connectors/built-in.js';
import type { Minted } from '../connectors/connector.js';
import type { RequestContext } from '../access/context.js';
import { sql, type Sql, type Tx } from '../database/database.js';
import { badInput, conflict, forbidden, notFound, unsupported } from '../errors.js';
import { once, onceReaching } from '../idempotency/once.js';
import { newId } from '../ids.js';
import { decodeIds } from '../inputs/decode-id.js';
import { rolesHeld } from '../roles/find.js';
import { authorizeGiving } from '../roles/give.js';
import type { Role } from '../roles/role.js';
import { storeNamed } from '../stores/find.js';
import { authorizeScope } from '../stores/scopes/authorize-scope.js';
import { StoreKind, type CredentialStore } from '../stores/store.js';
import { supporting } from '../stores/supporting.js';
import { instant, instantMs, durationMs } from '../time.js';
import { CredentialRole } from './record/credential-role.js';
import { noUseYet } from './record/credential-use.js';
import { Credential, CredentialKind } from './record/credential.js';
import type { IssueTemporaryCredentialInput } from './credential.input.js';
import { faultOfCredential } from './record/fault.js';
import { changedCredential, findCredential } from './record/find.js';
import { partsOf, type IssuedSecret } from './secret/issued-secret.js';
import { keepSecret } from './secret/keep-secret.js';
import { expectLiving, lockCredential } from './record/lock.js';
import { issueOutside } from './issue-outside.js';
import { expectRetrievable } from './outside/outside-wish.js';
import { authorizeLasting, authorizeShowing, isHolder, placeOf, termsOf } from './record/allowed.js';
import { beginVersion } from './record/versions.js';
import { factorFor, type Coded, type Factor } from './secret/factor.js';
import { named, shown, type Made } from './secret/shown.js';

/**
 * Derives a pair from a permanent credential, for a while: with its roles or fewer, from its addresses or fewer, and
 * never for longer than it lives. It works only while its parent does, and only with the secret that the parent has
 * now.
 * @throws NOT_FOUND; FORBIDDEN without CREDENTIAL_CREATE there, to all but the parent's owner and whoever signed with
 * it, for roles and addresses that the parent has not, for roles and scopes of a store that are not the caller's to give,
 * and where a second factor is missing; CONFLICT for a parent that has ended; UNSUPPORTED for provider keys, and for a parent that is temporary itself.
 */
export async function issueTemporaryCredential(
  ctx: RequestContext,
  input: IssueTemporaryCredentialInput,
): Promise<{ credential: Credential; issued: IssuedSecret }> {
  const found = await findCredential(ctx, input.parent, 'input.parent', Permission.CREDENTIAL_CREATE);
  authorizeIssuing(ctx, found);
  if (found.kind === CredentialKind.PROVIDER_KEYS)
    throw unsupported('No temporary credential can be issued from provider keys.');
  if (found.parentId !== null)
    throw unsupported('A temporary credential cannot be the parent of another one.');
  const store = await storeNamed(ctx).load(found.storeId);
  if (!store) throw notFound();
  supporting(ctx.connectors, store, 'issue');
  const wanted = input.roles ? decodeIds('Role', input.roles, 'input.roles') : undefined;

  const outside = store.kind !== StoreKind.BUILT_IN;
  if (outside) expectRetrievable(input);
  const factor = await factorFor(ctx, input.mfaCode);
  const asking: Asking = { ctx, input, found, wanted, factor, store, outside };
  // A repeated request has the code of its own moment.
  const asked = { ...input, mfaCode: null };
  let code: string | null = null;
  const outcome = await factor.during(() =>
    outside
      ? onceReaching(ctx, 'credential:issue', asked, {
          before: async (tx) => void (code = await proveOutside(asking, tx)),
          reach: () => issueOutside(ctx, input, found, lengthFor(ctx, found, input)),
          keep: async (tx, minted) => derive(asking, tx, await termsFor(asking, tx), minted, code),
        })
      : once(ctx, 'credential:issue', asked, (tx) => issueHere(asking, tx)),
  );
  const credential = await changedCredential(ctx, outcome.result.id);
  const issued = await shown(ctx, outcome, async (tx) => {
    await authorizeHandingOn(asking, found, await rolesOn(tx, credential), tx);
    await authorizeHaving(ctx, found, credential, tx);
  });
  return { credential, issued: issued ?? named(outcome.result, credential) };
}

interface Asking {
  ctx: RequestContext;
  input: IssueTemporaryCredentialInput;
  found: Credential;
  wanted: string[] | undefined;
  factor: Factor;
  store: CredentialStore;
  outside: boolean;
}

/** What the derived one takes from its parent, as that is by now. */
interface Terms {
  parent: Credential;
  allowedIps: string[];
  roles: string[];
}

/** @throws as `issueTemporaryCredential` does, for what may have changed since the parent was found. */
async function termsFor(asking: Asking, tx: Tx): Promise<Terms> {
  const { ctx, input, found, wanted } = asking;
  const parent = await lockCredential(ctx, tx, found.id, Permission.CREDENTIAL_CREATE, (credential) =>
    authorizeIssuing(ctx, credential),
  );
  expectLiving(parent);
  const allowedIps = addressesFor(input, parent);
  const roles = await rolesFor(tx, parent, wanted);
  await authorizeHandingOn(asking, parent, roles, tx);
  return { parent, allowedIps, roles };
}

/**
 * What is derived has roles of its parent, and in an outside store all that its scope may there. Who could have the secret
 * of the parent itself, or signed with it, may have that too; for others it is as if they made another credential.
 * @throws FORBIDDEN
 */
async function authorizeHandingOn(
  { ctx, store, outside }: Asking,
  parent: Credential,
  roles: readonly string[],
  tx: Tx,
): Promise<void> {
  const { principal } = ctx;
  const place = placeOf(parent);
  const { CREDENTIAL_ROTATE, CREDENTIAL_REVEAL } = Permission;
  if (isHolder(principal, parent) || may(principal, CREDENTIAL_ROTATE, place)) return;
  if (parent.retrievable && may(principal, CREDENTIAL_REVEAL, place)) return;
  if (outside) await authorizeScope(ctx, store, parent.scope, tx);
  if (roles.length === 0) return;
  const { statement, parameters } = rolesHeld(ctx.db, roles);
  const given = await tx.rows<Role>(statement, parameters);
  await authorizeGiving(ctx, given, { ...place, accountId: parent.accountId, store }, [], tx);
}

async function issueHere(asking: Asking, tx: Tx): Promise<Issued> {
  const { found, factor } = asking;
  const { secretPrefix: prefix, secretFormat: format } = found;
  const terms = await termsFor(asking, tx);
  const code = await factor.prove(tx);
  return derive(asking, tx, terms, mint({ kind: 'ACCESS_KEY', prefix, format, accessKey: null }), code);
}

/** All that can be known before the store is asked. */
async function proveOutside(asking: Asking, tx: Tx): Promise<string | null> {
  const { ctx, factor } = asking;
  const { parent, allowedIps } = await termsFor(asking, tx);
  if (await faultOfCredential(tx, parent.id)) throw parentFails();
  await authorizeHaving(ctx, parent, { ...parent, allowedIps }, tx);
  return factor.prove(tx);
}

type Issued = Made & Coded;

/** Puts a pair that was made just now on record. @throws FORBIDDEN, CONFLICT */
async function derive(
  asking: Asking,
  tx: Tx,
  terms: Terms,
  minted: Minted,
  code: string | null,
): Promise<Issued> {
  const { ctx, input, found, factor, outside } = asking;
  const { parent, allowedIps, roles } = terms;
  const { secretPrefix, secretFormat, signatureScheme } = found;
  const id = newId();
  const expiresAt = minted.expiresAt ?? endFor(ctx, parent, input);
  const columns = {
    id,
    storeId: parent.storeId,
    accountId: parent.accountId,
    createdById: ctx.principal.accountId,
    ownerId: parent.ownerId,
    projectId: parent.projectId,
    parentId: parent.id,
    parentVersion: await versionOf(ctx, tx, parent),
    kind: CredentialKind.ACCESS_KEY,
    name: parent.name,
    accessKey: minted.accessKey,
    category: parent.category,
    fullName: parent.fullName,
    email: parent.email,
    enabled: true,
    allowedIps,
    unsaid: parent.unsaid,
    mfaAuthenticated: minted.mfa ?? factor.isProved,
    retrievable: outside || (input.retrievable ?? parent.retrievable),
    externalId: outside ? minted.accessKey : null,
    scope: parent.scope,
    permissions: parent.permissions,
    secretPrefix,
    secretFormat,
    signatureScheme,
    // The instant that it lives from, so that it lives for as long as was asked.
    createdAt: minted.createdAt ?? instant(ctx.at),
    expiresAt,
  };
  await tx.em.getRepository(Credential).insert(columns);
  if (roles.length > 0) {
    await tx.em.getRepository(CredentialRole).insert(roles.map((roleId) => ({ credentialId: id, roleId })));
  }
  if (await faultOfCredential(tx, id)) throw parentFails();
  await authorizeHaving(ctx, parent, { ...parent, ...columns }, tx);
  const made = { minted, password: null };
  const kept = await keepSecret(ctx, columns, 1, columns.kind, columns.retrievable, made);
  await beginVersion(tx, {
    credentialId: id,
    number: 1,
    state: 'CURRENT',
    accessKey: minted.accessKey,
    ...kept,
  });
  await tx.rows(noUseYet, { id });
  await record(ctx, tx, {
    action: 'credential:issue',
    target: { type: 'Credential', id },
    accountId: parent.accountId,
    projectId: parent.projectId,
  });
  // What a store made is read back, with where it is used.
  const issued = outside ? {} : { issued: partsOf(minted, { expiresAt }) };
  return { id, version: 1, ...issued, code };
}

const parentFails = () =>
  conflict('The parent credential does not work now: it is disabled, expired or revoked.');

/** By CREDENTIAL_CREATE where the parent is, as its owner, who may rotate it, or by having signed with it. */
function authorizeIssuing({ principal }: RequestContext, parent: Credential): void {
  const place = placeOf(parent);
  if (isHolder(principal, parent)) return;
  authorizeLasting(principal, parent.accountId);
  if (place.owner === principal.accountId && ownerMay(principal, Permission.CREDENTIAL_ROTATE)) return;
  authorize(principal, Permission.CREDENTIAL_CREATE, place);
}

/**
 * A caller who signed with the parent gets what is derived from it; others if it could be shown to them.
 * @throws FORBIDDEN
 */
async function authorizeHaving(
  ctx: RequestContext,
  parent: Credential,
  derived: Credential,
  db: Sql,
): Promise<void> {
  if (!isHolder(ctx.principal, parent)) await authorizeShowing(ctx, await termsOf(db, derived), db);
}

/** @throws FORBIDDEN for addresses outside the parent's; BAD_USER_INPUT for an empty list, which would be all. */
function addressesFor({ allowedIps }: IssueTemporaryCredentialInput, parent: Credential): string[] {
  if (!allowedIps) return parent.allowedIps;
  if (allowedIps.length === 0 && parent.allowedIps.length > 0)
    throw badInput('input.allowedIps', "must not be empty: leave it out to take the parent's");
  if (!withinRanges(allowedIps, parent.allowedIps))
    throw forbidden(
      'allowedIps of a temporary credential may hold only addresses that its parent may be used from.',
    );
  return [...new Set(allowedIps)];
}

/** @throws FORBIDDEN for a role that the parent does not carry; whether there is such a role is not told. */
async function rolesFor(
  tx: Tx,
  parent: Credential,
  wanted: readonly string[] | undefined,
): Promise<string[]> {
  const carried = await rolesOn(tx, parent);
  if (!wanted) return carried;
  if (!wanted.every((role) => carried.includes(role)))
    throw forbidden('A temporary credential may have only roles that its parent has.');
  return [...new Set(wanted)];
}

const rolesOn = async (tx: Tx, { id }: Credential): Promise<string[]> =>
  (await tx.rows<{ id: string }>(carriedRoles, { id })).map((role) => role.id);

/**
 * How long it is asked to work, and when it ends in any case: with its parent and, of one's own, with the proof of now.
 */
function lengthOf(
  { principal }: RequestContext,
  parent: Credential,
  { duration }: IssueTemporaryCredentialInput,
): { lengthMs: number; endsMs: number[] } {
  const isOwn = parent.accountId === principal.accountId;
  const ends = [parent.expiresAt, isOwn ? principal.expiresAt : null];
  const endsMs = ends.flatMap((end) => (end === null ? [] : instantMs(end)));
  return { lengthMs: durationMs(duration ?? 'PT1H'), endsMs };
}

function endFor(ctx: RequestContext, parent: Credential, input: IssueTemporaryCredentialInput): string {
  const { lengthMs, endsMs } = lengthOf(ctx, parent, input);
  return instant(Math.min(ctx.at + lengthMs, ...endsMs));
}

function lengthFor(ctx: RequestContext, parent: Credential, input: IssueTemporaryCredentialInput): number {
  const { lengthMs, endsMs } = lengthOf(ctx, parent, input);
  return Math.min(lengthMs, ...endsMs.map((endMs) => endMs - ctx.at));
}

/** The secret that it is derived from: the one that the caller signed with, or the current one. */
async function versionOf({ principal }: RequestContext, tx: Tx, parent: Credential): Promise<number> {
  if (isHolder(principal, parent) && principal.credentialVersion !== null) return principal.credentialVersion;
  const [version] = await tx.rows<{ number: number }>(currentVersion, { id: parent.id });
  if (!version) throw new Error('the credential has no current version');
  return version.number;
}

const carriedRoles = sql('SELECT role_id AS id FROM credential_roles WHERE credential_id = :id');
const currentVersion = sql(`
  SELECT number FROM credential_versions WHERE credential_id = :id AND state = 'CURRENT'`);
