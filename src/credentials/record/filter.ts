import { hasStatus } from '../../access/works.js';
import { condition, every, type Condition } from '../../database/database.js';
import { decodeIds } from '../../inputs/decode-id.js';
import type { Order } from '../../lists/paging.js';
import { adminProjectId } from '../../projects/project.js';
import { searching } from '../../lists/search.js';
import { durationMs } from '../../time.js';
import { CredentialStatus, type CredentialKind } from './credential.js';
import {
  type CredentialOrder,
  type CredentialFilter,
  OrderDirection,
  CredentialOrderBy,
} from './filter.input.js';
import { overdue } from './policy.js';
import type { Provider } from './provider.js';

/**
 * The condition of a filter, for credentials `c` with their uses `u`.
 * @param stopped the accounts that do not go on, where the filter asks for a status.
 * @throws BAD_USER_INPUT for ids of other types.
 */
export function filtered(filter: CredentialFilter, stopped: readonly string[] = []): Condition {
  const where: Condition[] = [];
  const ids = (name: string, type: Parameters<typeof decodeIds>[0], given: readonly string[]) =>
    decodeIds(type, given, `filter.${name}`);
  const { store, account, owner, createdBy, project, role } = filter;
  if (filter.ids)
    where.push(condition('c.id = ANY(:credentials)', { credentials: ids('ids', 'Credential', filter.ids) }));
  if (store)
    where.push(condition('c.store_id = ANY(:store)', { store: ids('store', 'CredentialStore', store) }));
  if (account)
    where.push(condition('c.account_id = ANY(:account)', { account: ids('account', 'Account', account) }));
  if (owner) where.push(condition('c.owner_id = ANY(:owner)', { owner: ids('owner', 'Account', owner) }));
  if (createdBy)
    where.push(
      condition('c.created_by = ANY(:creators)', { creators: ids('createdBy', 'Account', createdBy) }),
    );
  if (project) where.push(ofProjects(ids('project', 'Project', project)));
  if (role) where.push(condition(carrying, { role: ids('role', 'Role', role) }));
  if (filter.kind)
    where.push(condition('c.kind = ANY(:kind)', { kind: filter.kind satisfies CredentialKind[] }));
  if (filter.provider)
    where.push(condition('c.provider = ANY(:provider)', { provider: filter.provider satisfies Provider[] }));
  if (filter.status) where.push(condition(hasStatus(names(filter.status)), { stopped }));
  if (filter.search) where.push(searching('c.search_text', filter.search));
  if (filter.createdAfter)
    where.push(
      condition('c.created_at > CAST(:createdAfter AS timestamptz)', { createdAfter: filter.createdAfter }),
    );
  if (filter.createdBefore)
    where.push(
      condition('c.created_at < CAST(:createdBefore AS timestamptz)', {
        createdBefore: filter.createdBefore,
      }),
    );
  if (filter.expiresAfter) where.push(condition(expiresAfter, { expiresAfter: filter.expiresAfter }));
  if (filter.expiresBefore) {
    where.push(
      condition(`${expiry} < CAST(:expiresBefore AS timestamptz)`, { expiresBefore: filter.expiresBefore }),
    );
  }
  if (filter.rotationDueBefore) {
    where.push(
      condition('c.rotation_due_at < CAST(:dueBefore AS timestamptz)', {
        dueBefore: filter.rotationDueBefore,
      }),
    );
  }
  if (filter.rotationOverdue === true) where.push(condition(overdue));
  if (filter.rotationOverdue === false) where.push(condition(`(${overdue}) IS NOT TRUE`));
  if (filter.unusedFor) {
    where.push(condition(unusedBefore(unusedSince), { unusedForMs: durationMs(filter.unusedFor) }));
  }
  if (filter.withoutOwner === true) where.push(condition('c.owner_id IS NULL'));
  if (filter.withoutOwner === false) where.push(condition('c.owner_id IS NOT NULL'));
  if (!filter.includeDeleted && !filter.status?.some((one) => ended.has(one)))
    where.push(condition('c.deleted_at IS NULL'));
  return where.length === 0 ? condition('true') : every(...where);
}

/** What lists leave out where nobody asks for it. */
const ended: ReadonlySet<CredentialStatus> = new Set([CredentialStatus.ABANDONED, CredentialStatus.DELETED]);

/**
 * How a list of credentials is ordered. What never expires sorts as last to expire, what was never used as longest ago.
 */
export function orderOf(order: CredentialOrder | null | undefined): Order {
  const by = order?.by ?? CredentialOrderBy.CREATED_AT;
  const direction = order?.direction ?? OrderDirection.DESC;
  return { ...orders[by], name: `credentials by ${by} ${direction}`, direction };
}

/** Credentials of these projects; of the admin project, all. */
const ofProjects = (project: readonly string[]): Condition =>
  project.includes(adminProjectId)
    ? condition('true')
    : condition('c.project_id = ANY(:project)', { project });

const carrying =
  'EXISTS (SELECT 1 FROM credential_roles cr WHERE cr.credential_id = c.id AND cr.role_id = ANY(:role))';

// What was not used since then was not made since then either, nor last used: said for the indexes of those orders.
const unusedSince = "now() - CAST(:unusedForMs AS double precision) * interval '1 millisecond'";
const unusedBefore = (time: string) =>
  `u.unused_since <= ${time} AND u.last_used_at <= ${time} AND c.created_at <= ${time}`;

/** Each once, and in one order whatever was asked for: it is the same statement. */
const names = (status: readonly CredentialStatus[]) =>
  [...new Set(status)].sort().map((one) => `${one}` as const);

/** SQL for when a credential `c` expires: what never does is the last to. */
export const expiry = "coalesce(c.expires_at, 'infinity')";
const expiresAfter = `${expiry} > CAST(:expiresAfter AS timestamptz) AND ${expiry} < 'infinity'`;

const orders: Record<CredentialOrderBy, Pick<Order, 'expression' | 'type' | 'id'>> = {
  CREATED_AT: { expression: 'c.created_at', type: 'timestamptz', id: 'c.id' },
  NAME: { expression: 'c.sort_name', type: 'text', id: 'c.id' },
  EXPIRES_AT: { expression: expiry, type: 'timestamptz', id: 'c.id' },
  LAST_USED_AT: { expression: 'u.last_used_at', type: 'timestamptz', id: 'u.credential_id' },
};
