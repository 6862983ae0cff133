import { endedFor } from '../access/ended.js';
import { auditScope } from '../access/scope.js';
import { anyOfIds } from '../database/among.js';
import { selectRows } from '../database/columns.js';
import { perRequest, type RequestContext } from '../access/context.js';
import { condition, every, type Condition } from '../database/database.js';
import { badInput } from '../errors.js';
import { parseId } from '../ids.js';
import { decodeIds } from '../inputs/decode-id.js';
import { list, listUnder, type Listing } from '../lists/listing.js';
import { loadLists, loadOne } from '../lists/loading.js';
import type { Connection, Order, Ordered, PageArgs } from '../lists/paging.js';
import { AuditEvent } from './audit-event.js';
import type { AuditFilter } from './audit.input.js';

/** A page of the audit log, newest first. @throws BAD_USER_INPUT for what is no id. */
export async function listAuditEvents(
  ctx: RequestContext,
  filter: AuditFilter,
  args: PageArgs,
): Promise<Connection<AuditEvent & Ordered>> {
  const where = filtered(filter);
  return list(ctx, events, newestFirst, every(await readable(ctx), ...where), args);
}

/** A page of the events of each target. */
export const eventsOfTarget = loadLists(
  (args: PageArgs) => JSON.stringify(args),
  async (ctx, parents, args) =>
    listUnder<AuditEvent>(
      ctx,
      events,
      newestFirst,
      await readable(ctx),
      args,
      'e.target_id = parent.id',
      parents,
    ),
);

export const auditEventById = loadOne<AuditEvent>(async (ctx) => {
  const scope = await readable(ctx);
  const statement = ctx.db.statement(`audit events by id:${scope.shape}`, (source) =>
    events.select(source).where(`e.id = ${anyOfIds}`).andWhere(scope.sql),
  );
  return { statement, parameters: scope.parameters };
});

/** Which events the caller may see, found once a request. */
const readable = perRequest(async ({ db, principal }) =>
  auditScope(principal, await endedFor(db, principal)),
);

function filtered(filter: AuditFilter): Condition[] {
  const where: Condition[] = [];
  const accounts = (name: string, ids: string[]) => decodeIds('Account', ids, `filter.${name}`);
  if (filter.account)
    where.push(condition('e.account_id = ANY(:account)', { account: accounts('account', filter.account) }));
  if (filter.actor)
    where.push(condition('e.actor_id = ANY(:actor)', { actor: accounts('actor', filter.actor) }));
  if (filter.target) {
    const target = filter.target.map((id, index) => {
      const parsed = parseId(id);
      if (!parsed) throw badInput(`filter.target.${index}`, 'must be an id');
      return parsed.uuid;
    });
    where.push(condition('e.target_id = ANY(:target)', { target }));
  }
  if (filter.action) where.push(condition('e.action = ANY(:action)', { action: filter.action }));
  if (filter.outcome) where.push(condition('e.outcome = ANY(:outcome)', { outcome: filter.outcome }));
  if (filter.since) where.push(condition('e.at >= CAST(:since AS timestamptz)', { since: filter.since }));
  if (filter.until) where.push(condition('e.at < CAST(:until AS timestamptz)', { until: filter.until }));
  return where;
}

const events: Listing = {
  name: 'audit events',
  select: (source) => selectRows(source, AuditEvent, 'e'),
  from: 'audit_events e',
};
/** The order of the audit log. */
export const newestFirst: Order = {
  name: 'audit',
  expression: 'e.at',
  type: 'timestamptz',
  id: 'e.id',
  direction: 'DESC',
};
