import { Ctx, Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { RequestContext } from '../access/context.js';
import { Needs } from '../inputs/declared.js';
import { Takes } from '../inputs/takes.js';
import type { Secret } from '../secret.js';
import { Account } from './account.js';
import { confirmMfa } from './confirm-mfa.js';
import { enrolMfa } from './enrol-mfa.js';
import { ConfirmMfaInput, EnrolMfaInput, RemoveMfaInput } from './mfa.input.js';
import { qrCode } from './qr-code.js';
import { inGroups } from './recovery-codes.js';
import { removeMfa } from './remove-mfa.js';

@ObjectType({
  description:
    'The secret of the new second factor, for an authenticator app. It is shown in this answer only.',
})
export class EnrolMfaPayload {
  readonly #uri: Secret;

  constructor(uri: Secret) {
    this.#uri = uri;
  }

  @Field(() => String, { description: 'The secret as an `otpauth://` URI.' })
  otpauthUri(): string {
    return this.#uri.expose();
  }

  @Field(() => String, { description: 'The same URI as a QR code to scan: an SVG picture, as a data URI.' })
  qrCode(): string {
    return qrCode(this.#uri.expose());
  }
}

@ObjectType({ description: 'What `confirmMfa` answers.' })
export class ConfirmMfaPayload {
  readonly #recoveryCodes: Secret[];

  @Field(() => Account, { description: 'The account of the viewer, which now has a second factor.' })
  account: Account;

  constructor(account: Account, recoveryCodes: Secret[]) {
    this.account = account;
    this.#recoveryCodes = recoveryCodes;
  }

  @Field(() => [String], {
    description:
      'Codes that replace a code of the authenticator app if the device is lost; each works once. In no particular order. They are shown in this answer only.',
  })
  recoveryCodes(): string[] {
    return this.#recoveryCodes.map(inGroups);
  }
}

@ObjectType({ simpleResolvers: true, description: 'What `removeMfa` answers.' })
export class RemoveMfaPayload {
  @Field(() => Account, { description: 'The account of the viewer, which now has no second factor.' })
  account: Account;
}

/** The second factor of the calling account; no account can ask about that of another. */
@Resolver()
export class MfaResolver {
  @Mutation(() => EnrolMfaPayload, {
    description:
      'Creates a second factor (TOTP) for the account of the viewer. It has no effect until `confirmMfa`.',
  })
  @Needs('OWN', 'account:enrol-mfa')
  async enrolMfa(
    @Ctx() ctx: RequestContext,
    @Takes(() => EnrolMfaInput) input: EnrolMfaInput,
  ): Promise<EnrolMfaPayload> {
    return new EnrolMfaPayload(await enrolMfa(ctx, input));
  }

  @Mutation(() => ConfirmMfaPayload, {
    description: 'Confirms the second factor that `enrolMfa` created, with its first code.',
  })
  @Needs('OWN', 'account:confirm-mfa')
  async confirmMfa(
    @Ctx() ctx: RequestContext,
    @Takes(() => ConfirmMfaInput) input: ConfirmMfaInput,
  ): Promise<ConfirmMfaPayload> {
    const { account, recoveryCodes } = await confirmMfa(ctx, input);
    return new ConfirmMfaPayload(account, recoveryCodes);
  }

  @Mutation(() => RemoveMfaPayload, {
    description: 'Removes the second factor of the account of the viewer.',
  })
  @Needs('OWN', 'account:remove-mfa')
  async removeMfa(
    @Ctx() ctx: RequestContext,
    @Takes(() => RemoveMfaInput) input: RemoveMfaInput,
  ): Promise<RemoveMfaPayload> {
    return { account: await removeMfa(ctx, input) };
  }
}
