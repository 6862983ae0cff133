import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../access/context.js';
import { encodeId } from '../ids.js';
import { Needs } from '../inputs/declared.js';
import { Forward } from '../lists/page-args.js';
import { connectionType } from '../lists/paging.js';
import { AuditEvent } from './audit-event.js';
import { AuditFilter } from './audit.input.js';
import { listAuditEvents } from './find.js';
import type { Row } from '../database/columns.js';

export const AuditEventConnection = connectionType('AuditEvent', () => AuditEvent);

@Resolver(() => AuditEvent)
export class AuditEventResolver {
  @Query(() => AuditEventConnection, {
    description: 'The audit events that the viewer may see, newest first.',
  })
  @Needs(Permission.AUDIT_READ)
  auditEvents(
    @Ctx() ctx: RequestContext,
    @Arg('filter', () => AuditFilter, {
      nullable: true,
      description: 'Which events; all that the viewer may see, if left out.',
    })
    filter: AuditFilter | null,
    @Args(() => Forward) page: Forward,
  ) {
    return listAuditEvents(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => ID, { nullable: true })
  targetId(@Root() event: Row<AuditEvent>): string | null {
    return event.targetType && event.targetId ? encodeId(event.targetType, event.targetId) : null;
  }

  @FieldResolver(() => ID, { nullable: true })
  recipientId(@Root() event: Row<AuditEvent>): string | null {
    return event.recipientId && encodeId('Account', event.recipientId);
  }

  @FieldResolver(() => String, {
    description:
      'The hash that links this event to the one before it in the chain of the account, in hexadecimal.',
  })
  hash(@Root() event: Row<AuditEvent>): string {
    return Buffer.from(event.hash).toString('hex');
  }
}
