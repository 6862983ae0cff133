import { authenticate, type Call, type Means } from '../access/authenticate.js';
import { Permission } from '../access/principal.js';
import { heldBecause } from '../audit/held.js';

/**
 * Why nothing is answered while the audit log is not what its checkpoints say: for a caller who may read all of that log.
 * Undefined for everybody else, and for a proof that is none: who asks for readiness need not have one.
 */
export async function reasonFor(means: Means, call: Call): Promise<string | undefined> {
  const proven = await authenticate(means, call).catch(() => undefined);
  const { principal, bodyMatches } = proven ?? {};
  if (bodyMatches && !bodyMatches(Buffer.alloc(0))) return undefined;
  return principal?.rights.get(Permission.AUDIT_READ)?.everywhere ? heldBecause : undefined;
}
