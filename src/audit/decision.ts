import type { Decision, RequestContext } from '../access/context.js';
import type { NodeType } from '../ids.js';
import { AuditOutcome } from './audit-event.js';
import type { Told } from './chain.js';
import { endingText, type Ending } from './ending.js';

/** Who did or tried something, in which request; nobody, where Keyway did it by itself, or does not know who it was. */
export type Actor = Pick<Decision, 'actorId' | 'actorCredentialId' | 'ip' | 'requestId'>;

/** Whoever sent the request. */
export const callerOf = ({
  principal,
  ip,
  requestId,
}: Pick<RequestContext, 'principal' | 'ip' | 'requestId'>): Actor => ({
  actorId: principal.accountId,
  actorCredentialId: principal.credentialId,
  ip: ip ?? null,
  requestId,
});

export const nobody = (requestId = 'keyway', ip: string | null = null): Actor => ({
  actorId: null,
  actorCredentialId: null,
  ip,
  requestId,
});

/** What was done or tried, to what, and where that belongs. */
export interface What {
  /** As in the permission: `credential:rotate`. */
  action: string;
  target?: { type: NodeType; id: string } | null;
  /** The account in whose chain it stands. */
  accountId: string;
  projectId?: string | null;
  /** The account that it was given to: who takes over, who gets or loses a role. */
  recipientId?: string | null;
}

/** How it ended. */
interface Outcome {
  outcome: AuditOutcome;
  code: string | null;
}

export const done: Outcome = { outcome: AuditOutcome.DONE, code: null };

/** By an error: a code says that somebody was turned away, or that something went wrong. */
export const endedBy = (code: string): Outcome => ({
  outcome: turnedAway.includes(code) ? AuditOutcome.REFUSED : AuditOutcome.FAILED,
  code,
});

const turnedAway = ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'RATE_LIMITED', 'LIMIT_EXCEEDED'];

/** What was decided, as the audit tells it: it was done, where nothing else is said. */
export const decisionOf = (
  { actorId, actorCredentialId, ip, requestId }: Actor,
  { action, target = null, accountId, projectId = null, recipientId = null }: What,
  { outcome, code }: Outcome = done,
): Decision => ({
  accountId,
  projectId,
  actorId,
  actorCredentialId,
  action,
  outcome,
  code,
  targetType: target?.type ?? null,
  targetId: target?.id ?? null,
  recipientId,
  ip,
  requestId,
});

/**
 * The same as an event, which has no place in a chain yet.
 * @param changed names of the fields that changed
 * @param ends what it leaves of its target
 */
export const eventOf = (decision: Decision, changed: string[] = [], ends?: Ending): Told => ({
  ...decision,
  changed,
  times: 1,
  ended: ends ? endingText(ends) : null,
});
