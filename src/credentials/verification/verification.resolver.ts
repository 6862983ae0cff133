import { mostVerified } from '../../config/limits.js';
import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { Permission } from '../../access/principal.js';
import type { RequestContext } from '../../access/context.js';
import { Credential } from '../record/credential.js';
import { verifiedCredential } from '../record/find.js';
import { KeywayError } from '../../errors.js';
import { Answers, Guarded, Needs } from '../../inputs/declared.js';
import { Takes } from '../../inputs/takes.js';
import { expectRules } from '../../inputs/rules.js';
import { VerifyCredentialPayload } from './verification.js';
import { VerifyCredentialInput } from './verification.input.js';
import { verifyCredentials } from './verify.js';

@Resolver(() => VerifyCredentialPayload)
export class VerificationResolver {
  @FieldResolver(() => Credential, {
    nullable: true,
    description:
      'The credential that was presented; null if the code is NOT_VALID, and if it is RATE_LIMITED because of wrong passwords or of the address.',
  })
  credential(
    @Ctx() ctx: RequestContext,
    @Root() { found }: VerifyCredentialPayload,
  ): Promise<Credential | null> | null {
    return found && verifiedCredential(ctx).load(found.id);
  }

  @Mutation(() => VerifyCredentialPayload, {
    description:
      'Checks a secret or a signed request that a service was presented with. A wrong secret is not an error: the answer says what is wrong.',
  })
  @Needs(Permission.CREDENTIAL_VERIFY, 'credential:verify')
  @Guarded()
  async verifyCredential(
    @Ctx() ctx: RequestContext,
    @Takes(() => VerifyCredentialInput) input: VerifyCredentialInput,
  ): Promise<VerifyCredentialPayload> {
    const [answer] = await verifyCredentials(ctx, [input], 'input.');
    if (!answer) throw new KeywayError('INTERNAL_SERVER_ERROR');
    return answer;
  }

  @Mutation(() => [VerifyCredentialPayload], {
    description: `Checks up to ${mostVerified} secrets or signed requests at once. The results are in the order of \`inputs\`.`,
  })
  @Needs(Permission.CREDENTIAL_VERIFY, 'credential:verify')
  @Guarded()
  @Answers('inputs', mostVerified)
  verifyCredentials(
    @Ctx() ctx: RequestContext,
    @Arg('inputs', () => [VerifyCredentialInput], {
      validateFn: expectEach,
      description: `What was presented: at most ${mostVerified} items.`,
    })
    inputs: VerifyCredentialInput[],
  ): Promise<VerifyCredentialPayload[]> {
    return verifyCredentials(ctx, inputs);
  }
}

/** TypeGraphQL's own does not tell which item of a list breaks a rule. */
function expectEach(inputs: VerifyCredentialInput[]): void {
  expectRules(inputs.map((input, index) => ({ path: `inputs.${index}`, input })));
}
