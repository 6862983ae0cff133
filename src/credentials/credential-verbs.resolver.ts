import { Ctx, Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import { Permission } from '../access/principal.js';
import type { RequestContext } from '../access/context.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import { createCredential } from './create.js';
import { Credential } from './record/credential.js';
import {
  CreateCredentialInput,
  DeleteCredentialInput,
  IssueTemporaryCredentialInput,
  RevealCredentialInput,
  RevokeCredentialInput,
  RotateCredentialInput,
  UpdateCredentialInput,
} from './credential.input.js';
import { deleteCredential } from './delete.js';
import { IssuedSecret } from './secret/issued-secret.js';
import { issueTemporaryCredential } from './issue.js';
import { revealCredential } from './reveal.js';
import { revokeCredential } from './revoke.js';
import { rotateCredential } from './rotate.js';
import { updateCredential } from './update.js';

@ObjectType({ simpleResolvers: true, description: 'What `createCredential` answers.' })
export class CreateCredentialPayload {
  @Field(() => Credential, { description: 'The new credential.' })
  credential: Credential;

  @Field(() => IssuedSecret, {
    nullable: true,
    description:
      'The new secret. Null if this is a repeated answer to the same `idempotencyKey` and the secret has been replaced or the credential has stopped working since.',
  })
  issued: IssuedSecret | null;
}

@ObjectType({ simpleResolvers: true, description: 'What `issueTemporaryCredential` answers.' })
export class IssueTemporaryCredentialPayload {
  @Field(() => Credential, { description: 'The new temporary credential.' })
  credential: Credential;

  @Field(() => IssuedSecret, {
    description:
      'The new pair. In a repeated answer to the same `idempotencyKey` its secret is null once the credential has stopped working.',
  })
  issued: IssuedSecret;
}

@ObjectType({ simpleResolvers: true, description: 'What `updateCredential` answers.' })
export class UpdateCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it is after the change.' })
  credential: Credential;

  @Field(() => Boolean, {
    description:
      'True if the store accepted the change only together with the secret that Keyway has, and could not show whether that secret was still its current one: a newer secret in the store is overwritten. Give the secret with the change to be sure.',
  })
  secretResent: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'What `rotateCredential` answers.' })
export class RotateCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it is after the rotation.' })
  credential: Credential;

  @Field(() => IssuedSecret, {
    description:
      'The new secret. In a repeated answer to the same `idempotencyKey` its fields `secret` and `keys` are null if it has been replaced or the credential has stopped working since.',
  })
  issued: IssuedSecret;
}

@ObjectType({ simpleResolvers: true, description: 'What `revokeCredential` answers.' })
export class RevokeCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it is after the change.' })
  credential: Credential;

  @Field(() => Boolean, {
    description:
      'False if the credential had ended before, for another reason or for none that is known: its `revokeReason` stays as it was, and the `reason` that was given is recorded nowhere. True if none was given.',
  })
  reasonRecorded: boolean;
}

@ObjectType({ simpleResolvers: true, description: 'What `deleteCredential` answers.' })
export class DeleteCredentialPayload {
  @Field(() => Credential, { description: 'The credential, as it was deleted.' })
  credential: Credential;
}

@ObjectType({ simpleResolvers: true, description: 'What `revealCredential` answers.' })
export class RevealCredentialPayload {
  @Field(() => Credential, { description: 'The credential whose secret is shown.' })
  credential: Credential;

  @Field(() => IssuedSecret, { description: 'The current secret.' })
  issued: IssuedSecret;

  @Field(() => IssuedSecret, {
    nullable: true,
    description:
      'The first of `others`, such as the previous secret in its grace period; null if there is none.',
  })
  other: IssuedSecret | null;

  @Field(() => [IssuedSecret], {
    description:
      'All other secrets that may work: one that a rotation is bringing in comes first, then previous secrets and those of rotations whose outcome is not known.',
  })
  others: IssuedSecret[];
}

/** The verbs of credentials. */
@Resolver()
export class CredentialVerbsResolver {
  @Mutation(() => CreateCredentialPayload, {
    description: 'Creates a credential with its first secret, which the answer shows.',
  })
  @Needs(Permission.CREDENTIAL_CREATE, 'credential:create')
  createCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => CreateCredentialInput) input: CreateCredentialInput,
  ): Promise<CreateCredentialPayload> {
    return createCredential(ctx, input);
  }

  @Mutation(() => UpdateCredentialPayload, {
    description: 'Changes the fields of a credential, but not its secret.',
  })
  @Needs(Permission.CREDENTIAL_UPDATE, 'credential:update')
  updateCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => UpdateCredentialInput) input: UpdateCredentialInput,
  ): Promise<UpdateCredentialPayload> {
    return updateCredential(ctx, input);
  }

  @Mutation(() => RotateCredentialPayload, {
    description: 'Replaces the secret of a credential. The answer shows the new one.',
  })
  @Needs(Permission.CREDENTIAL_ROTATE, 'credential:rotate')
  rotateCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => RotateCredentialInput) input: RotateCredentialInput,
  ): Promise<RotateCredentialPayload> {
    return rotateCredential(ctx, input);
  }

  @Mutation(() => RevokeCredentialPayload, {
    description:
      'Revokes a credential and every temporary credential derived from it, in its store as well. They stop working at once; this cannot be undone.',
  })
  @Needs(Permission.CREDENTIAL_REVOKE, 'credential:revoke')
  revokeCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => RevokeCredentialInput) input: RevokeCredentialInput,
  ): Promise<RevokeCredentialPayload> {
    return revokeCredential(ctx, input);
  }

  @Mutation(() => DeleteCredentialPayload, {
    description:
      'Revokes a credential, in its store as well, and removes it from all lists (unless the filter asks for deleted ones). Its audit events are kept.',
  })
  @Needs(Permission.CREDENTIAL_REVOKE, 'credential:delete')
  async deleteCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => DeleteCredentialInput) input: DeleteCredentialInput,
  ): Promise<DeleteCredentialPayload> {
    return { credential: await deleteCredential(ctx, input) };
  }

  @Mutation(() => RevealCredentialPayload, {
    description:
      'Shows the secret of a retrievable credential again. Needs CREDENTIAL_REVEAL; for a temporary credential, being its owner or signing with it is enough. Each time is recorded in the audit log.',
  })
  @Needs(Permission.CREDENTIAL_REVEAL, 'credential:reveal')
  revealCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => RevealCredentialInput) input: RevealCredentialInput,
  ): Promise<RevealCredentialPayload> {
    return revealCredential(ctx, input);
  }

  @Mutation(() => IssueTemporaryCredentialPayload, {
    description:
      'Derives a temporary access key from a permanent credential. It expires by itself, and stops working when its parent does.',
  })
  @Needs(Permission.CREDENTIAL_CREATE, 'credential:issue')
  issueTemporaryCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => IssueTemporaryCredentialInput) input: IssueTemporaryCredentialInput,
  ): Promise<IssueTemporaryCredentialPayload> {
    return issueTemporaryCredential(ctx, input);
  }
}
