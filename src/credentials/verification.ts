import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { schemeDescriptions, SignatureScheme } from '../signatures/schemes.js';

export enum VerificationCode {
  VALID = 'VALID',
  VALID_PREVIOUS_SECRET = 'VALID_PREVIOUS_SECRET',
  NOT_VALID = 'NOT_VALID',
  DISABLED = 'DISABLED',
  EXPIRED = 'EXPIRED',
  REVOKED = 'REVOKED',
  IP_NOT_ALLOWED = 'IP_NOT_ALLOWED',
  ROLE_MISSING = 'ROLE_MISSING',
  RATE_LIMITED = 'RATE_LIMITED',
}

registerEnumType(VerificationCode, {
  name: 'VerificationCode',
  description:
    'What came of a verification. Why something is not valid is told only where the secret was right.',
  valuesConfig: {
    VALID_PREVIOUS_SECRET: {
      description:
        'Valid, by the secret before the current one, within its grace period: time to fetch the new one.',
    },
    NOT_VALID: {
      description:
        'No such credential, a wrong secret, a signature that does not hold or was used before, or another project.',
    },
    DISABLED: {
      description: 'The credential, its account or its owner is disabled, or what it was derived from.',
    },
    IP_NOT_ALLOWED: { description: 'It may not be used from that address, or the address is not known.' },
    ROLE_MISSING: { description: 'It does not carry every role that was asked for.' },
    RATE_LIMITED: {
      description: 'Too many wrong passwords for this user name lately: none is looked at, right or wrong.',
    },
  },
});

registerEnumType(SignatureScheme, {
  name: 'SignatureScheme',
  description: 'How a request is signed.',
  valuesConfig: Object.fromEntries(
    Object.entries(schemeDescriptions).map(([name, description]) => [name, { description }]),
  ),
});

/** What is told of a credential whose secret was right. */
export interface Found {
  id: string;
  kind: string;
  name: string;
  accessKey: string | null;
  accountId: string;
  projectId: string | null;
  roles: { id: string; name: string }[];
  mfaAuthenticated: boolean;
  expiresAt: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Whether what was presented is good, and whose it is.',
})
export class VerifyCredentialPayload {
  @Field(() => Boolean)
  valid: boolean;

  @Field(() => VerificationCode)
  code: VerificationCode;

  /** The credential, where its secret was right: told without asking again. */
  found: Found | null;
}
