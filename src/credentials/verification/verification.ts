import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';

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
    'The result of a verification. A reason other than NOT_VALID or RATE_LIMITED is given only if the secret was right.',
  valuesConfig: {
    VALID: { description: 'The secret or the signature is the current one, and may be used.' },
    VALID_PREVIOUS_SECRET: {
      description:
        'It is valid, but the secret is the previous one, in its grace period. The client should get the new one.',
    },
    NOT_VALID: {
      description:
        'There is no such credential that the caller may verify, the secret or signature is wrong, the signed request is too old or was used before, or the credential is in another project.',
    },
    DISABLED: {
      description:
        'The credential, its account or its owner is disabled. For a temporary credential: or its parent is.',
    },
    EXPIRED: { description: 'The credential has expired. For a temporary credential: or its parent has.' },
    REVOKED: { description: 'The credential was revoked. For a temporary credential: or its parent was.' },
    IP_NOT_ALLOWED: {
      description: 'The credential may not be used from this address, or the address was not given.',
    },
    ROLE_MISSING: { description: 'The credential does not have all roles that are required.' },
    RATE_LIMITED: {
      description:
        'The credential, or the parent of a temporary one, was used more often than its `rateLimit` or `remainingUses` allow; then `credential` is told. Or there were too many wrong passwords for this user name: for up to 15 minutes no password is checked for it, not even the right one. Or too many from this address (`ip`) were not valid: for up to a minute none from there is checked. Without `ip` this is not counted.',
    },
  },
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
  description: 'The result of a verification.',
})
export class VerifyCredentialPayload {
  @Field(() => Boolean, {
    description: 'Whether it is valid: then `code` is VALID or VALID_PREVIOUS_SECRET.',
  })
  valid: boolean;

  @Field(() => VerificationCode, { description: 'The result in detail.' })
  code: VerificationCode;

  @Field(() => Int, {
    nullable: true,
    description:
      'In how many seconds the same request may be valid, if a limit of the credential refused it. Null for every other reason, and if waiting does not help: no uses remain and there is no refill, or `cost` is more than is ever allowed at once.',
  })
  retryAfter: number | null;

  /** The credential, where its secret was right: told without asking again. */
  found: Found | null;
}
