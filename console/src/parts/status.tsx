import type { CredentialStatus } from '../graph/documents.ts';
import { texts } from '../texts.ts';

const toneOf: Record<CredentialStatus, 'good' | 'busy' | 'bad' | 'ended'> = {
  ACTIVE: 'good',
  PENDING: 'busy',
  ROTATING: 'busy',
  REVOKING: 'busy',
  UNKNOWN: 'bad',
  INVALID: 'bad',
  GONE: 'bad',
  ABANDONED: 'bad',
  EXPIRED: 'ended',
  DISABLED: 'ended',
  REVOKED: 'ended',
  DELETED: 'ended',
};

/** A status as a badge: the word says it, the colour helps. */
export function Status({ status }: { status: CredentialStatus }) {
  return <span className={`badge ${toneOf[status]}`}>{texts.status[status]}</span>;
}
