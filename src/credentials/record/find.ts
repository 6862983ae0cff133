import type { DataSource } from 'typeorm';
import { Permission } from '../../access/principal.js';
import { credentialScope } from '../../access/scope.js';
import { carriesRole, status, stoppedAccounts } from '../../access/works.js';
import { selectRows } from '../../database/columns.js';
import type { RequestContext } from '../../context.js';
import { condition, every, type Condition } from '../../database/database.js';
import { notFound } from '../../errors.js';
import { decodeId } from '../../ids.js';
import { list, listUnder, type Listing } from '../../lists/listing.js';
import { loadEach, loadLists, loadOne } from '../../lists/loading.js';
import type { Connection, Ordered, PageArgs } from '../../lists/paging.js';
import { adminProjectId } from '../../projects/project.js';
import { Role } from '../../roles/role.js';
import { CredentialUse } from './credential-use.js';
import { CredentialSecret } from './credential-version.js';
import { Credential } from './credential.js';
import { type CredentialOrder, type CredentialFilter, CredentialOrderBy } from './filter.input.js';
import { filtered, orderOf } from './filter.js';
import { Rotation, type CredentialVersion } from './rotation.js';
import { newestOf, type Newest } from './versions.js';

export interface CredentialListArgs extends PageArgs {
  filter?: CredentialFilter | null | undefined;
  orderBy?: CredentialOrder | null | undefined;
}

/** A credential as it was when a request began. */
export type FoundCredential = Credential & Newest;

/**
 * The credential behind a public id, where the caller may see it; deleted ones too.
 * @param by the permission of the verb at hand: it shows the credential too.
 * @throws NOT_FOUND if there is none that the caller may see, BAD_USER_INPUT naming `path` for another type's id.
 */
export async function findCredential(
  ctx: RequestContext,
  id: string,
  path: string,
  by?: Permission,
): Promise<FoundCredential> {
  const where = every(
    condition('c.id = :id', { id: decodeId('Credential', id, path) }),
    credentialScope(ctx.principal, by),
  );
  const statement = ctx.db.statement(`credential:${where.shape}`, (source) =>
    credentials.select(source).addSelect(newestOf, 'newest').where(where.sql),
  );
  const [credential] = await ctx.db.rows<FoundCredential>(statement, where.parameters);
  if (!credential) throw notFound();
  return credential;
}

/** The credential that a verb has just changed, as it now is: who may do the verb may see what it did. */
export async function changedCredential(ctx: RequestContext, uuid: string): Promise<Credential> {
  const statement = ctx.db.statement('credential changed', (source) =>
    credentials.select(source).where('c.id = :id'),
  );
  const [credential] = await ctx.db.rows<Credential>(statement, { id: uuid });
  if (!credential) throw notFound();
  return credential;
}

export const credentialById = loadOne<Credential>((ctx, ids) => {
  const scope = credentialScope(ctx.principal);
  const statement = ctx.db.statement(`credentials by id:${scope.shape}`, (source) =>
    credentials.select(source).where('c.id = ANY(:ids)').andWhere(scope.sql),
  );
  return ctx.db.rows(statement, { ...scope.parameters, ids });
});

/** Credentials whose secrets the caller has been shown to be right: seen by CREDENTIAL_VERIFY too. */
export const verifiedCredential = loadOne<Credential>((ctx, ids) => {
  const scope = credentialScope(ctx.principal, Permission.CREDENTIAL_VERIFY);
  const statement = ctx.db.statement(`credentials verified:${scope.shape}`, (source) =>
    credentials.select(source).where('c.id = ANY(:ids)').andWhere(scope.sql),
  );
  return ctx.db.rows(statement, { ...scope.parameters, ids });
});

/** A page of the credentials that the caller may see. */
export const listCredentials = async (
  ctx: RequestContext,
  args: CredentialListArgs,
): Promise<Connection<Credential & Ordered>> =>
  list(ctx, listingFor(args), orderOf(args.orderBy), await wanted(ctx, args), args);

/** A page of the credentials under each of many parents, by what a credential is to its parent. */
const under = (condition: string) =>
  loadLists(
    (args: CredentialListArgs) => JSON.stringify(args),
    async (ctx, parents, args) =>
      listUnder<Credential>(
        ctx,
        listingFor(args),
        orderOf(args.orderBy),
        await wanted(ctx, args),
        args,
        condition,
        parents,
      ),
  );

export const credentialsOfAccount = under('c.account_id = parent.id');
export const credentialsOfStore = under('c.store_id = parent.id');
export const credentialsWithRole = under(
  'EXISTS (SELECT 1 FROM credential_roles held WHERE held.credential_id = c.id AND held.role_id = parent.id)',
);
export const derivedCredentials = under('c.parent_id = parent.id');
const credentialsInProject = under('c.project_id = parent.id');

/** The credentials of a project; of the admin project, all. */
export const credentialsOfProject = (ctx: RequestContext, project: string, args: CredentialListArgs) =>
  project === adminProjectId ? listCredentials(ctx, args) : credentialsInProject(ctx, project, args);

export const rolesOfCredential = loadEach<Role & { of: string }>((ctx, ids) => {
  // The roles of a credential that one may see are for the same eyes, so the credential's scope is theirs. Who may
  // verify it is told them too: what it may do is what is asked.
  const scope = credentialScope(ctx.principal, Permission.CREDENTIAL_VERIFY);
  const statement = ctx.db.statement(`roles of credentials:${scope.shape}`, (source) =>
    selectRows(source, Role, 'r')
      .addSelect('c.id', 'of')
      .innerJoin('credential_roles', 'cr', 'cr.role_id = r.id')
      .innerJoin('credentials', 'c', 'c.id = cr.credential_id')
      .where('cr.credential_id = ANY(:ids)')
      .andWhere(carriesRole)
      .andWhere(scope.sql)
      .orderBy('r.sort_name'),
  );
  return ctx.db.rows(statement, { ...scope.parameters, ids });
});

export const versionsOfCredential = loadEach<CredentialVersion & { of: string }>((ctx, ids) => {
  const scope = credentialScope(ctx.principal);
  const statement = ctx.db.statement(`versions of credentials:${scope.shape}`, (source) =>
    selectRows(source, CredentialSecret, 'v', [...secretColumns, 'state'])
      .addSelect(versionState, 'state')
      .addSelect('c.id', 'of')
      .innerJoin('credentials', 'c', 'c.id = v.credential_id')
      .where('v.credential_id = ANY(:ids)')
      .andWhere(scope.sql)
      .orderBy('v.number', 'DESC'),
  );
  return ctx.db.rows(statement, { ...scope.parameters, ids });
});

/** The rotation under way of each credential, or the last one. */
export const latestRotation = loadEach<Rotation & { of: string }>((ctx, ids) =>
  rotationsWhere(
    ctx,
    `o.id IN (SELECT DISTINCT ON (l.credential_id) l.id FROM rotations l WHERE l.credential_id = ANY(:ids)
      ORDER BY l.credential_id, l.started_at DESC)`,
    'c.id',
    ids,
  ),
);

export const rotationById = loadOne<Rotation>((ctx, ids) =>
  rotationsWhere(ctx, 'o.id = ANY(:ids)', 'o.id', ids),
);

function rotationsWhere(
  ctx: RequestContext,
  where: string,
  of: string,
  ids: readonly string[],
): Promise<(Rotation & { of: string })[]> {
  const scope = credentialScope(ctx.principal);
  const statement = ctx.db.statement(`rotations ${of}:${scope.shape}`, (source) =>
    selectRows(source, Rotation, 'o', ['state', 'finishedAt'])
      .addSelect(rotationState, 'state')
      .addSelect(`coalesce(o.finished_at, CASE WHEN ${outlived} THEN f.valid_until END)`, 'finishedAt')
      .addSelect(safeToRetire, 'safeToRetire')
      .addSelect(of, 'of')
      .innerJoin('credentials', 'c', 'c.id = o.credential_id')
      .innerJoin('credential_versions', 'f', 'f.credential_id = o.credential_id AND f.number = o.from_number')
      .where(where)
      .andWhere(scope.sql),
  );
  return ctx.db.rows(statement, { ...scope.parameters, ids });
}

async function wanted(ctx: RequestContext, { filter }: CredentialListArgs): Promise<Condition> {
  const stopped = filter?.status ? await stoppedAccounts(ctx.db) : [];
  return every(filtered(filter ?? {}, stopped), credentialScope(ctx.principal));
}

const secretColumns = [
  'credentialId',
  'verifier',
  'verifierKeyId',
  'passwordHash',
  'pepperId',
  'sealed',
  'kekId',
];

// The clock of the database ends a grace period, not the job that tidies up after it.
// In an outside store it is the store that ends it, and its answer that tells.
const versionState =
  "CASE WHEN v.state = 'PREVIOUS' AND v.valid_until <= now() AND c.external_id IS NULL THEN 'RETIRED' ELSE v.state END";
const outlived = "o.state = 'SWITCHED' AND f.valid_until <= now() AND c.external_id IS NULL";
const rotationState = `CASE WHEN ${outlived} THEN 'FINISHED' ELSE o.state END`;
const seenLately = `coalesce(f.last_used_at >= now() - interval '24 hours', false)`;
// What is temporary is presented by a secret of its own, and ends with the one that it was derived from.
const livedBy = `EXISTS (SELECT 1 FROM credentials d WHERE d.parent_id = c.id AND d.parent_version = f.number
  AND d.revoked_at IS NULL AND d.deleted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now()))`;
// Of what is presented to other stores, Keyway sees no use, and so never that there is none.
const ofOurs = "c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')";
const safeToRetire = `f.state IN ('RETIRED', 'FAILED') OR ${outlived}
  OR o.state = 'SWITCHED' AND ${ofOurs} AND NOT ${seenLately} AND NOT ${livedBy}`;

const lastUsed = "CASE WHEN u.last_used_at = '-infinity' THEN NULL ELSE u.last_used_at END";
const ofUse = 'FROM credential_uses u WHERE u.credential_id = c.id';

const selectCredentials = (source: DataSource) =>
  selectRows(source, Credential, 'c', ['observedAt'])
    .addSelect(status, 'status')
    .addSelect('coalesce(c.observed_at, now())', 'observedAt');

// The use as a subquery is looked up for the rows of the page alone, after they are sorted and cut; a join would be
// made for every row that is sorted.
const credentials: Listing = {
  name: 'credentials',
  select: (source) => selectCredentials(source).addSelect(`(SELECT ${lastUsed} ${ofUse})`, 'lastUsedAt'),
  from: 'credentials c',
};

/** The same, where the order or the filter asks for uses `u`. */
const credentialsByUse: Listing = {
  name: 'credentials by use',
  select: (source) =>
    selectCredentials(source)
      .addSelect(lastUsed, 'lastUsedAt')
      .innerJoin(CredentialUse, 'u', 'u.credential_id = c.id'),
  from: 'credentials c JOIN credential_uses u ON u.credential_id = c.id',
};

const listingFor = ({ filter, orderBy }: CredentialListArgs) =>
  filter?.unusedFor || orderBy?.by === CredentialOrderBy.LAST_USED_AT ? credentialsByUse : credentials;
