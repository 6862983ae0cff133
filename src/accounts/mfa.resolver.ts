import { Arg, Ctx, Field, Mutation, ObjectType, Resolver } from 'type-graphql';
import type { RequestContext } from '../context.js';
import { Needs } from '../inputs/declared.js';
import type { Secret } from '../secret.js';
import { Account } from './account.js';
import { confirmMfa } from './confirm-mfa.js';
import { enrolMfa } from './enrol-mfa.js';
import { ConfirmMfaInput, EnrolMfaInput, RemoveMfaInput } from './mfa.input.js';
import { qrCode } from './qr-code.js';
import { inGroups } from './recovery-codes.js';
import { removeMfa } from './remove-mfa.js';

@ObjectType({ description: 'For an authenticator app, by link or by picture. It holds a secret.' })
export class EnrolMfaPayload {
  readonly #uri: Secret;

  constructor(uri: Secret) {
    this.#uri = uri;
  }

  @Field(() => String)
  otpauthUri(): string {
    return this.#uri.expose();
  }

  @Field(() => String, { description: 'The same as a picture to scan: an SVG, as a data URI.' })
  qrCode(): string {
    return qrCode(this.#uri.expose());
  }
}

@ObjectType()
export class ConfirmMfaPayload {
  readonly #recoveryCodes: Secret[];

  @Field(() => Account)
  account: Account;

  constructor(account: Account, recoveryCodes: Secret[]) {
    this.account = account;
    this.#recoveryCodes = recoveryCodes;
  }

  @Field(() => [String], {
    description: 'Each stands in once for a code of a device that is lost. Shown here, and nowhere else.',
  })
  recoveryCodes(): string[] {
    return this.#recoveryCodes.map(inGroups);
  }
}

@ObjectType({ simpleResolvers: true })
export class RemoveMfaPayload {
  @Field(() => Account)
  account: Account;
}

/** The second factor of the account that asks; nobody can ask about another's. */
@Resolver()
export class MfaResolver {
  @Mutation(() => EnrolMfaPayload, {
    description: 'Starts a TOTP second factor for the viewer; confirmMfa completes it.',
  })
  @Needs('OWN', 'account:enrol-mfa')
  async enrolMfa(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => EnrolMfaInput) input: EnrolMfaInput,
  ): Promise<EnrolMfaPayload> {
    return new EnrolMfaPayload(await enrolMfa(ctx, input));
  }

  @Mutation(() => ConfirmMfaPayload)
  @Needs('OWN', 'account:confirm-mfa')
  async confirmMfa(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => ConfirmMfaInput) input: ConfirmMfaInput,
  ): Promise<ConfirmMfaPayload> {
    const { account, recoveryCodes } = await confirmMfa(ctx, input);
    return new ConfirmMfaPayload(account, recoveryCodes);
  }

  @Mutation(() => RemoveMfaPayload)
  @Needs('OWN', 'account:remove-mfa')
  async removeMfa(
    @Ctx() ctx: RequestContext,
    @Arg('input', () => RemoveMfaInput) input: RemoveMfaInput,
  ): Promise<RemoveMfaPayload> {
    return { account: await removeMfa(ctx, input) };
  }
}
