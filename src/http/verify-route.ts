import { coerceInputValue, GraphQLNonNull, type GraphQLInputObjectType, type GraphQLSchema } from 'graphql';
import { callerOf, decisionOf, endedBy } from '../audit/decision.js';
import type { RequestContext } from '../access/context.js';
import type { VerificationCode } from '../credentials/verification/verification.js';
import {
  HeaderInput,
  ProofInput,
  SignedRequestInput,
  VerifyCredentialInput,
} from '../credentials/verification/verification.input.js';
import { verifyCredentials } from '../credentials/verification/verify.js';
import { KeywayError, type FieldFault } from '../errors.js';
import { encodeId } from '../ids.js';
import { isRefused } from '../graph/charges.js';
import { valueFaults } from '../graph/errors/input.js';
import type { Suggest } from '../graph/errors/suggest.js';
import { mostFaults } from '../config/limits.js';
import type { QueryLimits } from '../config/request-limits.js';
import { expectSmall } from '../graph/query-limits.js';
import { expectRules } from '../inputs/rules.js';
import { DateTime } from '../inputs/scalars.js';

/** What `POST /v1/verify` answers: as `verifyCredential` in the graph does, with what a service mostly asks for. */
export interface VerificationAnswer {
  valid: boolean;
  code: VerificationCode;
  /** In seconds; also the header `Retry-After`. */
  retryAfter: number | null;
  /** Where the secret was right. */
  credential: {
    id: string;
    kind: string;
    name: string;
    accessKey: string | null;
    account: { id: string };
    project: { id: string } | null;
    roles: { id: string; name: string }[];
    mfaAuthenticated: boolean;
    expiresAt: string | null;
  } | null;
}

/** The same in words of the graph, which describes it: of `VerifyCredentialPayload`. */
export const verificationSelection = `{
  valid code retryAfter
  credential { id kind name accessKey account { id } project { id } roles { id name } mfaAuthenticated expiresAt }
}`;

/**
 * Verifies what the body, a VerifyCredentialInput as JSON, presents: the field of the graph without the graph around it.
 * @throws BAD_USER_INPUT, naming the field, and what `verifyCredentials` throws; refusals are on record.
 */
export async function answerVerification(
  schema: GraphQLSchema,
  ctx: RequestContext,
  body: unknown,
  { suggest, limits }: { suggest: Suggest; limits: QueryLimits },
): Promise<VerificationAnswer> {
  try {
    // What is verified counts, and not the request: here it is one.
    await ctx.allowance.charge(1);
    const [answer] = await verifyCredentials(ctx, [inputOf(schema, body, suggest, limits)], '');
    if (!answer) throw new KeywayError('INTERNAL_SERVER_ERROR');
    const { valid, code, retryAfter, found } = answer;
    if (!found) return { valid, code, retryAfter, credential: null };
    const { id, kind, name, accessKey, accountId, projectId, roles, mfaAuthenticated, expiresAt } = found;
    return {
      valid,
      code,
      retryAfter,
      credential: {
        id: encodeId('Credential', id),
        kind,
        name,
        accessKey,
        account: { id: encodeId('Account', accountId) },
        project: projectId === null ? null : { id: encodeId('Project', projectId) },
        roles: roles.map((role) => ({ id: encodeId('Role', role.id), name: role.name })),
        mfaAuthenticated,
        expiresAt: expiresAt === null ? null : DateTime.serialize(expiresAt),
      },
    };
  } catch (error) {
    if (error instanceof KeywayError && isRefused(error.code)) await ctx.allowance.countFailures(1);
    noteRefusal(ctx, error);
    throw error;
  }
}

/**
 * The input that a JSON value stands for, held to the same limits and rules as in the graph.
 * @throws LIMIT_EXCEEDED, BAD_USER_INPUT
 */
function inputOf(
  schema: GraphQLSchema,
  value: unknown,
  suggest: Suggest,
  limits: QueryLimits,
): VerifyCredentialInput {
  expectSmall(limits, value);
  const type = new GraphQLNonNull(schema.getType('VerifyCredentialInput') as GraphQLInputObjectType);
  const fields: FieldFault[] = [];
  for (const fault of valueFaults(value, type, '', suggest)) if (fields.push(fault) === mostFaults) break;
  if (fields.length > 0) throw new KeywayError('BAD_USER_INPUT', undefined, { fields });
  const given = coerceInputValue(value, type) as VerifyCredentialInput;
  const { signedRequest } = given.proof;
  const input = Object.assign(new VerifyCredentialInput(), given, {
    proof: Object.assign(new ProofInput(), given.proof, {
      ...(signedRequest && {
        signedRequest: Object.assign(new SignedRequestInput(), signedRequest, {
          headers: signedRequest.headers.map((header) => Object.assign(new HeaderInput(), header)),
        }),
      }),
    }),
  });
  expectRules([{ path: '', input }]);
  return input;
}

function noteRefusal(ctx: RequestContext, error: unknown): void {
  const code = error instanceof KeywayError ? error.code : 'INTERNAL_SERVER_ERROR';
  const deed = { action: 'credential:verify', accountId: ctx.principal.accountId };
  ctx.decisions.note(decisionOf(callerOf(ctx), deed, endedBy(code)));
}
