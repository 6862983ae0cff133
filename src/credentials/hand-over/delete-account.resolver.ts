import { Ctx, Field, FieldResolver, ID, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql';
import { Permission } from '../../access/principal.js';
import { DeleteAccountInput } from '../../accounts/account.input.js';
import { mostListed } from '../../config/limits.js';
import type { RequestContext } from '../../access/context.js';
import { Needs } from '../../inputs/declared.js';
import { Takes } from '../../inputs/takes.js';
import { Credential } from '../record/credential.js';
import { deleteAccount } from './delete-account.js';
import { credentialById } from '../record/find.js';
import type { Row } from '../../database/columns.js';

@ObjectType({
  description: 'A credential that an account owned, and that stays as it is without that owner.',
})
export class UntouchedCredential {
  id: string;

  @Field(() => String, { description: 'Why it stays as it is.' })
  reason: string;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteAccount` answers.' })
export class DeleteAccountPayload {
  @Field(() => ID, { description: 'The id that the account had.' })
  deletedId: string;

  @Field(() => [UntouchedCredential], {
    description: `Credentials of other accounts that it owned and that the viewer may not revoke there, or give to another owner: they go on working without an owner. At most the first ${mostListed}.`,
  })
  untouched: UntouchedCredential[];

  @Field(() => Int, { description: 'How many there are of them.' })
  untouchedCount: number;
}

@Resolver()
export class DeleteAccountResolver {
  @Mutation(() => DeleteAccountPayload, {
    description:
      'Deletes an account, with the roles that it has and those that were granted on it. Those with AUDIT_READ still allow to read its audit log, and nothing else.',
  })
  @Needs(Permission.ACCOUNT_MANAGE, 'account:delete')
  async deleteAccount(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteAccountInput) input: DeleteAccountInput,
  ): Promise<DeleteAccountPayload> {
    const { untouched, ...deleted } = await deleteAccount(ctx, input);
    return { ...deleted, untouched: untouched.map((id) => ({ id, reason: notYours })) };
  }
}

@Resolver(() => UntouchedCredential)
export class UntouchedCredentialResolver {
  @FieldResolver(() => Credential, {
    nullable: true,
    description: 'The credential; null if the viewer may not see it.',
  })
  credential(
    @Ctx() ctx: RequestContext,
    @Root() { id }: UntouchedCredential,
  ): Promise<Row<Credential> | null> {
    return credentialById(ctx).load(id);
  }
}

const notYours = 'You may not revoke it, or give it to another owner, in the account that it belongs to.';
