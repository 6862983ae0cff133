import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { Account } from '../accounts/account.js';
import { accountById } from '../accounts/find.js';
import { AuditEvent } from '../audit/audit-event.js';
import { AuditEventConnection } from '../audit/audit-event.resolver.js';
import { auditEventById, eventsOfTarget, newestFirst } from '../audit/find.js';
import type { RequestContext } from '../access/context.js';
import { Credential } from '../credentials/record/credential.js';
import { credentialById, rotationById } from '../credentials/record/find.js';
import { badInput } from '../errors.js';
import { parseId, type NodeType } from '../ids.js';
import { Answers, Needs } from '../inputs/declared.js';
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
    description: 'Any object, by its id; null if there is none that the viewer may see.',
  })
  @Needs('OWN')
  node(
    @Ctx() ctx: RequestContext,
    @Arg('id', () => ID, { description: 'The id of the object.' }) id: string,
  ): Promise<object | null> {
    return loadNode(ctx, id, 'id');
  }

  @Query(() => [Node], {
    nullable: 'items',
    description:
      'Objects by their ids, in the order of the ids; null in the place of an id that has no object the viewer may see.',
  })
  @Needs('OWN')
  @Answers('ids', mostNodes)
  nodes(
    @Ctx() ctx: RequestContext,
    @Arg('ids', () => [ID], { description: `The ids: at most ${mostNodes}.` }) ids: string[],
  ): Promise<(object | null)[]> {
    if (ids.length > mostNodes) throw badInput('ids', `must be a list of at most ${mostNodes} items`);
    return Promise.all(ids.map((id, index) => loadNode(ctx, id, `ids.${index}`)));
  }
}

/** What an audit event tells of, where it is still there and the viewer may see it. */
@Resolver(() => AuditEvent)
export class AuditEventLinksResolver {
  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account that did or tried it. Null if the caller was not known, if Keyway acted by itself, or if the viewer may not see the account.',
  })
  actor(@Ctx() ctx: RequestContext, @Root() event: Row<AuditEvent>): Promise<Account | null> | null {
    return event.actorId === null ? null : accountById(ctx).load(event.actorId);
  }

  @FieldResolver(() => Credential, {
    nullable: true,
    description:
      'The credential that the actor authenticated with. Null if there was none (a token of another issuer, or no valid token), or if the viewer may not see it.',
  })
  actorCredential(
    @Ctx() ctx: RequestContext,
    @Root() event: Row<AuditEvent>,
  ): Promise<Credential | null> | null {
    return event.actorCredentialId === null ? null : credentialById(ctx).load(event.actorCredentialId);
  }

  @FieldResolver(() => Account, {
    nullable: true,
    description:
      'The account that it was given to. Null if nothing was given, or if the viewer may not see the account.',
  })
  recipient(@Ctx() ctx: RequestContext, @Root() event: Row<AuditEvent>): Promise<Account | null> | null {
    return event.recipientId === null ? null : accountById(ctx).load(event.recipientId);
  }

  @FieldResolver(() => Node, {
    nullable: true,
    description:
      'The object that it was done to. Null if there is none, if it no longer exists, or if the viewer may not see it.',
  })
  target(@Ctx() ctx: RequestContext, @Root() event: Row<AuditEvent>): Promise<object | null> | null {
    return event.targetType && event.targetId ? loadTyped(ctx, event.targetType, event.targetId) : null;
  }
}

/** What the audit adds to credentials. */
@Resolver(() => Credential)
export class CredentialAuditResolver {
  @FieldResolver(() => AuditEventConnection, {
    description: 'The audit events about this credential that the viewer may see, newest first.',
  })
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
