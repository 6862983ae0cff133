import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Account } from '../accounts/account.js';
import { accountById } from '../accounts/find.js';
import { AuditEvent } from '../audit/audit-event.js';
import { AuditEventConnection } from '../audit/audit-event.resolver.js';
import { auditEventById, eventsOfTarget, newestFirst } from '../audit/find.js';
import type { RequestContext } from '../context.js';
import { Credential } from '../credentials/record/credential.js';
import { credentialById, rotationById } from '../credentials/record/find.js';
import { badInput } from '../errors.js';
import { parseId } from '../ids.js';
import type { NodeType } from '../node-types.js';
import { Needs } from '../inputs/declared.js';
import { Node } from '../inputs/node.js';
import { Forward, Paged } from '../lists/page-args.js';
import { projectById } from '../projects/find.js';
import { grantLoader, roleById } from '../roles/find.js';
import { storeById } from '../stores/find.js';
import type { Row } from '../database/columns.js';
import { mostNodes } from '../config/limits.js';

/** Anything by its id, whatever its type. */
@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description: 'Anything, by its id; null where there is none for these eyes.',
  })
  @Needs('OWN')
  node(@Ctx() ctx: RequestContext, @Arg('id', () => ID) id: string): Promise<object | null> {
    return loadNode(ctx, id, 'id');
  }

  @Query(() => [Node], { nullable: 'items', description: `Up to ${mostNodes}, in the order of the ids.` })
  @Needs('OWN')
  nodes(@Ctx() ctx: RequestContext, @Arg('ids', () => [ID]) ids: string[]): Promise<(object | null)[]> {
    if (ids.length > mostNodes) throw badInput('ids', `must be a list of at most ${mostNodes} items`);
    return Promise.all(ids.map((id, index) => loadNode(ctx, id, `ids.${index}`)));
  }
}

/** What an audit event tells of, where it is still there and the viewer may see it. */
@Resolver(() => AuditEvent)
export class AuditEventLinksResolver {
  @FieldResolver(() => Account, { nullable: true, description: 'Who; null for one who was not known.' })
  actor(@Ctx() ctx: RequestContext, @Root() event: Row<AuditEvent>): Promise<Account | null> | null {
    return event.actorId === null ? null : accountById(ctx).load(event.actorId);
  }

  @FieldResolver(() => Credential, {
    nullable: true,
    description: 'The credential the actor proved itself with.',
  })
  actorCredential(
    @Ctx() ctx: RequestContext,
    @Root() event: Row<AuditEvent>,
  ): Promise<Credential | null> | null {
    return event.actorCredentialId === null ? null : credentialById(ctx).load(event.actorCredentialId);
  }

  @FieldResolver(() => Node, {
    nullable: true,
    description: 'What it was done to, where it is still there and the viewer may see it.',
  })
  target(@Ctx() ctx: RequestContext, @Root() event: Row<AuditEvent>): Promise<object | null> | null {
    return event.targetType && event.targetId ? loadTyped(ctx, event.targetType, event.targetId) : null;
  }
}

/** What the audit adds to credentials. */
@Resolver(() => Credential)
export class CredentialAuditResolver {
  @FieldResolver(() => AuditEventConnection)
  @Paged(newestFirst)
  auditEvents(
    @Ctx() ctx: RequestContext,
    @Root() credential: Row<Credential>,
    @Args(() => Forward) page: Forward,
  ) {
    return eventsOfTarget(ctx, credential.id, page);
  }
}

async function loadNode(ctx: RequestContext, id: string, path: string): Promise<object | null> {
  const parsed = parseId(id);
  if (!parsed) throw badInput(path, 'must be an id');
  return loadTyped(ctx, parsed.type, parsed.uuid);
}

async function loadTyped(ctx: RequestContext, type: NodeType, uuid: string): Promise<object | null> {
  const row = await loaders[type](ctx).load(uuid);
  // What is deleted is still named by what belonged to it, but no longer found by itself.
  const gone = row && type !== 'Credential' && 'deletedAt' in row && row.deletedAt !== null;
  return row && !gone ? { ...row, __typename: type } : null;
}

const loaders: Record<NodeType, (ctx: RequestContext) => { load(uuid: string): Promise<object | null> }> = {
  Credential: credentialById,
  Account: accountById,
  Project: projectById,
  Role: roleById,
  Grant: grantLoader,
  CredentialStore: storeById,
  Rotation: rotationById,
  AuditEvent: auditEventById,
};
