import type { DataSource, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { Permission } from '../../access/principal.js';
import { grantsHeldBy, type Held } from '../../access/rights.js';
import { Account } from '../../accounts/account.js';
import { accountNamed } from '../../accounts/find.js';
import { credentialScope, everything, seesAllOf } from '../../access/scope.js';
import { carriesRole, status, stoppedAccounts } from '../../access/works.js';
import { anyOfIds } from '../../database/among.js';
import {
  allColumns,
  columnsFor,
  selectRows,
  type ColumnGroup,
  type Columns,
} from '../../database/columns.js';
import type { RequestContext } from '../../access/context.js';
import { every, type Condition, type Database } from '../../database/database.js';
import { joined, type Part } from '../../database/joined.js';
import type { Shareable } from '../../database/sharing.js';
import { notFound } from '../../errors.js';
import { parseId } from '../../ids.js';
import { decodeId } from '../../inputs/decode-id.js';
import { list, listUnder, type Listing } from '../../lists/listing.js';
import { loadEach, loadLists, loadOne, loadOneBy } from '../../lists/loading.js';
import type { Connection, Ordered, PageArgs } from '../../lists/paging.js';
import { projectNamed } from '../../projects/find.js';
import { adminProjectId, Project } from '../../projects/project.js';
import { Role } from '../../roles/role.js';
import { roleColumns } from '../../roles/find.js';
import { storeNamed } from '../../stores/find.js';
import { CredentialStore } from '../../stores/store.js';
import { limitsNow } from '../limits/limits.js';
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
  const uuid = decodeId('Credential', id, path);
  const credential = await credentialFor(ctx, by).load(uuid);
  if (!credential) throw notFound();
  return credential;
}

const credentialFor = loadOneBy<FoundCredential, Permission>(foundAsked);

function foundAsked(ctx: RequestContext, by?: Permission): Shareable {
  const scope = credentialScope(ctx.principal, by);
  const statement = ctx.db.statement(`credential found:${scope.shape}`, (source) =>
    credentials(allColumns)
      .select(source)
      .addSelect(newestOf, 'newest')
      .where(`c.id = ${anyOfIds}`)
      .andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
}

/** A credential with what is around it, to decide by. */
interface Surrounded {
  found: FoundCredential;
  store: CredentialStore;
  account: Account;
  owner: Account | null;
  project: Project | null;
  /** What the roles that it carries allow. */
  allowed: Permission[];
  /** The grants of its account. */
  held: Held[];
}

/**
 * The same with what is around it, by one statement: not one that requests share, since what others did before
 * that is sent would be taken for known to whoever asks.
 * @throws as `findCredential` does
 */
export async function findSurrounded(
  ctx: RequestContext,
  id: string,
  path: string,
  by: Permission,
): Promise<Surrounded> {
  const ids = [decodeId('Credential', id, path)];
  const asked = [foundAsked(ctx, by), aroundAsked(ctx)];
  const [[found] = [], [around] = []] = await joined(
    ctx.db,
    asked.map(({ statement, parameters }) => ({ statement, parameters: { ...parameters, ids } })),
  );
  if (!found || !around) throw notFound();
  return { ...around, found } as unknown as Surrounded;
}

function aroundAsked({ db }: RequestContext): Shareable {
  const statement = db.statement('around credentials', (source) => {
    const one = (entity: new () => ObjectLiteral, where: string) =>
      `(SELECT row_to_json(one) FROM (${selectRows(source, entity, 'x').where(where).getQuery()}) one)`;
    return `SELECT ${one(CredentialStore, 'x.id = c.store_id')} AS store,
      ${one(Account, 'x.id = c.account_id')} AS account, ${one(Account, 'x.id = c.owner_id')} AS owner,
      ${one(Project, 'x.id = c.project_id')} AS project,
      ARRAY(SELECT DISTINCT unnest(r.permissions) FROM credential_roles cr JOIN roles r ON r.id = cr.role_id
        WHERE cr.credential_id = c.id) AS allowed,
      (SELECT coalesce(json_agg(held), '[]') FROM (${grantsHeldBy('c.account_id')}) held) AS held
    FROM credentials c WHERE c.id = ${anyOfIds}`;
  });
  return { statement, parameters: {} };
}

/** The credential that a verb has just changed, as it now is: who may do the verb may see what it did. */
export async function changedCredential(ctx: RequestContext, uuid: string): Promise<Credential> {
  const { statement, parameters } = credentialChanged(ctx.db, uuid);
  const [credential] = await ctx.db.rows<Credential>(statement, parameters);
  if (!credential) throw notFound();
  return credential;
}

/** The same as part of a statement. */
export const credentialChanged = (db: Database, id: string): Part => ({
  statement: db.statement('credential changed', (source) =>
    credentials(allColumns).select(source).where('c.id = :id'),
  ),
  parameters: { id },
});

/** SQL for the same of a row `c` that is being written, for its RETURNING: its secrets of before are what it tells of. */
export function columnsOfChanged({ source }: Database): string {
  const query = credentials(allColumns).select(source).getQuery();
  const [, columns] = /^SELECT (.*) FROM "credentials" "c"$/s.exec(query) ?? [];
  if (columns === undefined) throw new Error('the columns of a credential are not where they were');
  return columns;
}

/** What a verb knows of what a credential names: its answer does not ask for it again. */
export function tellOf(
  ctx: RequestContext,
  { id }: Pick<Credential, 'id'>,
  { store, accounts, project, roles }: Named,
): void {
  storeNamed(ctx).prime(store.id, store);
  for (const account of accounts) accountNamed(ctx).prime(account.id, account);
  if (project) projectNamed(ctx).prime(project.id, project);
  const carried = roles?.map((role) => ({ ...role, of: id }));
  if (carried) rolesOfCredential(ctx).prime(id, carried);
}

interface Named {
  store: CredentialStore;
  accounts: readonly Account[];
  project: Project | null;
  /** Left out where the caller may not be shown them. */
  roles?: readonly Role[] | undefined;
}

/** What to ask for the roles that a credential carries, as far as its caller may see them. */
export function rolesCarried(ctx: RequestContext, id: string): Part {
  const { statement, parameters } = rolesAsked(ctx);
  return { statement, parameters: { ...parameters, ids: [id] } };
}

export const credentialById = loadOne<Credential>((ctx) => {
  const scope = credentialScope(ctx.principal);
  const columns = credentialColumns(ctx.asked.fields);
  const statement = ctx.db.statement(`credentials by id${columns.key}:${scope.shape}`, (source) =>
    credentials(columns).select(source).where(`c.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** Credentials whose secrets the caller has been shown to be right: seen by CREDENTIAL_VERIFY too. */
export const verifiedCredential = loadOne<Credential>((ctx) => {
  const scope = credentialScope(ctx.principal, Permission.CREDENTIAL_VERIFY);
  const statement = ctx.db.statement(`credentials verified:${scope.shape}`, (source) =>
    credentials(allColumns).select(source).where(`c.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** A page of the credentials that the caller may see. */
export const listCredentials = async (
  ctx: RequestContext,
  args: CredentialListArgs,
): Promise<Connection<Credential & Ordered>> =>
  list(
    ctx,
    listingFor(ctx, args),
    orderOf(args.orderBy),
    every(await wanted(ctx, args), isWithinReach(ctx, args) ? everything : credentialScope(ctx.principal)),
    args,
  );

/** Whether the caller sees all that stands in the accounts, or in the projects, that the filter names. */
function isWithinReach({ principal }: RequestContext, { filter }: CredentialListArgs): boolean {
  const seesAll = (places: 'accounts' | 'projects', named: readonly string[]) => {
    const ids = named.map((id) => parseId(id)?.uuid ?? '');
    // The admin project stands for all accounts.
    return ids.length > 0 && !ids.includes(adminProjectId) && ids.every(seesAllOf(principal, places));
  };
  return seesAll('accounts', filter?.account ?? []) || seesAll('projects', filter?.project ?? []);
}

/**
 * A page of the credentials under each of many parents, by what a credential is to its parent.
 * @param places what the parents are, where a caller may see all that stands in one
 */
const under = (condition: string, places?: 'accounts' | 'projects') =>
  loadLists(
    (args: CredentialListArgs) => JSON.stringify(args),
    async (ctx, parents, args) => {
      const isWhole = places ? seesAllOf(ctx.principal, places) : () => false;
      const filter = await wanted(ctx, args);
      const pages = new Map<string, Connection<Credential & Ordered>>();
      const read = async (scope: Condition, ids: readonly string[]) => {
        if (ids.length === 0) return;
        const [listing, order] = [listingFor(ctx, args), orderOf(args.orderBy)];
        const where = every(filter, scope);
        const found = await listUnder<Credential>(ctx, listing, order, where, args, condition, ids);
        found.forEach((page, index) => pages.set(ids[index] ?? '', page));
      };
      await Promise.all([
        read(everything, parents.filter(isWhole)),
        read(
          credentialScope(ctx.principal),
          parents.filter((id) => !isWhole(id)),
        ),
      ]);
      return parents.map((id) => pages.get(id) as Connection<Credential & Ordered>);
    },
  );

export const credentialsOfAccount = under('c.account_id = parent.id', 'accounts');
export const credentialsOfStore = under('c.store_id = parent.id');
export const credentialsWithRole = under(
  'EXISTS (SELECT 1 FROM credential_roles held WHERE held.credential_id = c.id AND held.role_id = parent.id)',
);
export const derivedCredentials = under('c.parent_id = parent.id');
const credentialsInProject = under('c.project_id = parent.id', 'projects');

/** The credentials of a project; of the admin project, all. */
export const credentialsOfProject = (ctx: RequestContext, project: string, args: CredentialListArgs) =>
  project === adminProjectId ? listCredentials(ctx, args) : credentialsInProject(ctx, project, args);

export const rolesOfCredential = loadEach<Role & { of: string }>(rolesAsked);

function rolesAsked(ctx: RequestContext): Shareable {
  // The roles of a credential that one may see are for the same eyes, so the credential's scope is theirs. Who may
  // verify it is told them too: what it may do is what is asked.
  const scope = credentialScope(ctx.principal, Permission.CREDENTIAL_VERIFY);
  const columns = roleColumns(ctx.asked.fields);
  const statement = ctx.db.statement(`roles of credentials${columns.key}:${scope.shape}`, (source) =>
    selectRows(source, Role, 'r', columns.leave)
      .addSelect('c.id', 'of')
      .innerJoin('credential_roles', 'cr', 'cr.role_id = r.id')
      .innerJoin('credentials', 'c', 'c.id = cr.credential_id')
      .where(`cr.credential_id = ${anyOfIds}`)
      .andWhere(carriesRole)
      .andWhere(scope.sql)
      .orderBy('r.sort_name'),
  );
  return { statement, parameters: scope.parameters };
}

export const versionsOfCredential = loadEach<CredentialVersion & { of: string }>((ctx) => {
  const scope = credentialScope(ctx.principal);
  const statement = ctx.db.statement(`versions of credentials:${scope.shape}`, (source) =>
    selectRows(source, CredentialSecret, 'v', [...secretColumns, 'state'])
      .addSelect(versionState, 'state')
      .addSelect('c.id', 'of')
      .innerJoin('credentials', 'c', 'c.id = v.credential_id')
      .where(`v.credential_id = ${anyOfIds}`)
      .andWhere(scope.sql)
      .orderBy('v.number', 'DESC'),
  );
  return { statement, parameters: scope.parameters };
});

/** The rotation under way of each credential, or the last one. */
export const latestRotation = loadEach<Rotation & { of: string }>((ctx) =>
  rotationsAsked(
    ctx,
    `o.id IN (SELECT DISTINCT ON (l.credential_id) l.id FROM rotations l WHERE l.credential_id = ${anyOfIds}
      ORDER BY l.credential_id, l.started_at DESC)`,
    'c.id',
  ),
);

export const rotationById = loadOne<Rotation>((ctx) => rotationsAsked(ctx, `o.id = ${anyOfIds}`, 'o.id'));

function rotationsAsked(ctx: RequestContext, where: string, of: string): Shareable {
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
  return { statement, parameters: scope.parameters };
}

async function wanted(ctx: RequestContext, { filter }: CredentialListArgs): Promise<Condition> {
  const stopped = filter?.status ? await stoppedAccounts(ctx.db) : [];
  return filtered(filter ?? {}, stopped);
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
/** The state of a rotation `o` of a credential `c`, from its version `f`. */
export const rotationState = `CASE WHEN ${outlived} THEN 'FINISHED' ELSE o.state END`;
const seenLately = `coalesce(f.last_used_at >= now() - interval '24 hours', false)`;
// What is temporary is presented by a secret of its own, and ends with the one that it was derived from.
const livedBy = `EXISTS (SELECT 1 FROM credentials d WHERE d.parent_id = c.id AND d.parent_version = f.number
  AND d.revoked_at IS NULL AND d.deleted_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > now()))`;
// Of what is presented to other stores, Keyway sees no use, and so never that there is none.
const ofOurs = "c.store_id = (SELECT id FROM stores WHERE kind = 'BUILT_IN')";
/** That nothing is presented by the secret `f` before a rotation `o` any more. */
export const safeToRetire = `f.state IN ('RETIRED', 'FAILED') OR ${outlived}
  OR o.state = 'SWITCHED' AND ${ofOurs} AND NOT ${seenLately} AND NOT ${livedBy}`;

const lastUsed = "CASE WHEN u.last_used_at = '-infinity' THEN NULL ELSE u.last_used_at END";
const ofUse = 'FROM credential_uses u WHERE u.credential_id = c.id';

/** What is read of credentials only where it is asked for. */
const credentialColumns = columnsFor({
  usual: group(
    'accessKey description category enabled allowedIps expiresAt updatedAt revokedAt revision retrievable observedAt',
    ['unsaid'],
    ['rotationPolicy'],
  ),
  seldom: group(
    'fullName email problem baseUrl trust mfaAuthenticated externalId scope goneAt partial reachesStore permissions secretPrefix secretFormat signatureScheme revokeReason',
    'storeRevision parentVersion standing rotatingUntil rotateEvery rotateGrace rotationDueAt rotationTriedAt endingSince createdById'.split(
      ' ',
    ),
    ['rotationPolicy', 'createdBy'],
  ),
  use: group('lastUsedAt'),
  limits: group('limits', [], ['rateLimit', 'remainingUses']),
});

/** Columns that have the names of their fields; those without a field of that name; and fields of several of these columns. */
function group(same: string, columns: readonly string[] = [], fields: readonly string[] = []): ColumnGroup {
  const names = same.split(' ');
  return { columns: [...names, ...columns], fields: [...names, ...fields] };
}

function selectCredentials(source: DataSource, { leave }: Columns): SelectQueryBuilder<ObjectLiteral> {
  const query = selectRows(source, Credential, 'c', [...leave, 'observedAt']).addSelect(status, 'status');
  if (!leave.has('limits')) query.addSelect(limitsNow, 'limits');
  return leave.has('observedAt') ? query : query.addSelect('coalesce(c.observed_at, now())', 'observedAt');
}

// The use as a subquery is looked up for the rows of the page alone, after they are sorted and cut; a join would be
// made for every row that is sorted.
const credentials = (columns: Columns): Listing => ({
  name: `credentials${columns.key}`,
  select: (source) => {
    const query = selectCredentials(source, columns);
    return columns.leave.has('lastUsedAt')
      ? query
      : query.addSelect(`(SELECT ${lastUsed} ${ofUse})`, 'lastUsedAt');
  },
  from: 'credentials c',
});

/** The same, where the order or the filter asks for uses `u`. */
const credentialsByUse = (columns: Columns): Listing => ({
  name: `credentials by use${columns.key}`,
  select: (source) =>
    selectCredentials(source, columns)
      .addSelect(lastUsed, 'lastUsedAt')
      .innerJoin(CredentialUse, 'u', 'u.credential_id = c.id'),
  from: 'credentials c JOIN credential_uses u ON u.credential_id = c.id',
});

function listingFor({ asked }: RequestContext, { filter, orderBy }: CredentialListArgs): Listing {
  const isByUse = filter?.unusedFor || orderBy?.by === CredentialOrderBy.LAST_USED_AT;
  return (isByUse ? credentialsByUse : credentials)(credentialColumns(asked.fields));
}
