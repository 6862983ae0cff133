import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { may, type Place } from '../access/authorize.js';
import type { RequestContext } from '../access/context.js';
import { everyPermission, Permission, type Principal } from '../access/principal.js';
import { Account } from '../accounts/account.js';
import { placeOf } from '../credentials/record/allowed.js';
import { Credential } from '../credentials/record/credential.js';
import type { Row } from '../database/columns.js';
import { Needs } from '../inputs/declared.js';
import { Project } from '../projects/project.js';
import { CredentialStore } from '../stores/store.js';

@Resolver()
export class ViewerMayResolver {
  @Query(() => [Permission], {
    description:
      'The permissions that the viewer holds somewhere by its roles, in no particular order: what is missing here need not be offered.',
  })
  @Needs('OWN')
  viewerMay(@Ctx() { principal }: RequestContext): Permission[] {
    return everyPermission.filter((permission) => principal.rights.has(permission));
  }
}

/** What the viewer may do at each of these, for whoever shows it: by this alone nothing is decided. */
export const viewerMayResolvers = [
  viewerMayAt<Row<Account>>(Account, 'the account', ({ id }) => ({ accountId: id })),
  viewerMayAt<Row<Project>>(Project, 'the project', ({ id, accountId }) => ({ accountId, projectId: id })),
  viewerMayAt<Row<CredentialStore>>(CredentialStore, 'the store', ({ accountId }) => ({ accountId })),
  viewerMayAt<Row<Credential>>(Credential, 'the credential', placeOf),
];

function viewerMayAt<Shown extends object>(
  type: new () => object,
  words: string,
  placeOf: (shown: Shown) => Place,
) {
  @Resolver(() => type)
  class ViewerMayAtResolver {
    @FieldResolver(() => [Permission], {
      description: `The permissions that the viewer holds for ${words}, in no particular order. A verb may still be refused, if it needs more than a permission.`,
    })
    viewerMay(@Ctx() { principal }: RequestContext, @Root() shown: Shown): Permission[] {
      return held(principal, placeOf(shown));
    }
  }
  return ViewerMayAtResolver;
}

const held = (principal: Principal, place: Place): Permission[] =>
  everyPermission.filter((permission) => may(principal, permission, place));
