import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { credentialScope } from '../../access/scope.js';
import { anyOfIds } from '../../database/among.js';
import { DateTime } from '../../inputs/scalars.js';
import { loadEach } from '../../lists/loading.js';

export enum StoreChangeKind {
  CREATE = 'CREATE',
  UPDATE = 'UPDATE',
  ROTATE = 'ROTATE',
  RETIRE = 'RETIRE',
  REVOKE = 'REVOKE',
  DELETE = 'DELETE',
  LOOK = 'LOOK',
}

registerEnumType(StoreChangeKind, {
  name: 'StoreChangeKind',
  description: 'What is to be done in an outside store.',
  valuesConfig: {
    CREATE: { description: 'Create the credential.' },
    UPDATE: { description: 'Change what the store keeps of it.' },
    ROTATE: { description: 'Bring in its next secret.' },
    RETIRE: { description: 'End a previous secret.' },
    REVOKE: { description: 'End the credential.' },
    DELETE: { description: 'End the credential, and remove it.' },
    LOOK: {
      description:
        'End what a request may have created if its answer was lost. The store is looked at twice: some seconds after the request, and two minutes after it.',
    },
  },
});

@ObjectType({
  simpleResolvers: true,
  description: 'What Keyway has still to do in the outside store of a credential.',
})
export class StoreChange {
  @Field(() => StoreChangeKind, { description: 'What is to be done.' })
  kind: StoreChangeKind;

  @Field(() => DateTime, { description: 'Since when it is recorded, in UTC.' })
  since: string;

  @Field(() => Int, { description: 'How many times it was tried in vain.' })
  attempts: number;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it is tried (again), in UTC; null while it is being tried.',
  })
  nextAt: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Why the last try did not succeed: an error code and a text of Keyway, without anything that the store said. Null if there was none.',
  })
  failure: string | null;
}

/** What is still to be done for each credential in its store, the oldest first. */
export const storeChangesOf = loadEach<StoreChange & { of: string }>((ctx) => {
  const scope = credentialScope(ctx.principal);
  const statement = ctx.db.statement(
    `changes in stores:${scope.shape}`,
    () => `
      SELECT c.id AS of, i.verb AS kind, i.created_at AS since, i.attempts,
        CASE WHEN i.lease_until <= now() THEN i.next_at END AS "nextAt", i.failure
      FROM intents i JOIN credentials c ON c.id = i.credential_id
      WHERE i.credential_id = ${anyOfIds} AND i.state = 'OPEN' AND (${scope.sql})
      UNION ALL
      SELECT c.id, CASE WHEN l.access_key IS NULL THEN 'LOOK' ELSE 'RETIRE' END, l.created_at, l.attempts,
        CASE WHEN l.lease_until <= now() THEN l.due_at END, l.failure
      FROM leftovers l JOIN credentials c ON c.id = l.credential_id
      WHERE l.credential_id = ${anyOfIds} AND (${scope.sql})
      ORDER BY since, kind`,
  );
  return { statement, parameters: scope.parameters };
});
