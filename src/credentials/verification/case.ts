import type { Proof, Match } from './proof.js';
import type { VerifyCredentialInput } from './verification.input.js';
import type { VerificationCode } from './verification.js';

/** Something that was presented, and how far its verification has come. */
export interface Case {
  readonly input: VerifyCredentialInput;
  readonly proof: Proof;
  readonly project: string | null;
  match: Match;
  code: VerificationCode;
  /** After how many seconds the same may be good, where a limit of the credential refused it and waiting helps. */
  retryAfter: number | null;
}
