import { works } from '../../access/works.js';
import { record } from '../../audit/record.js';
import type { RequestContext } from '../../context.js';
import { sql } from '../../database/database.js';
import type { OnceOutcome } from '../../idempotency/once.js';
import type { Credential } from '../record/credential.js';
import { IssuedSecret, unpack, type Packed } from './issued-secret.js';

/**
 * The secret of a creation or rotation, for its answer. To a replay it is shown again only while it is the
 * credential's current one and works; and it is a reveal, which is on record.
 */
export async function shown(
  ctx: RequestContext,
  { result, replayed }: OnceOutcome<{ id: string; version: number; issued: Packed }>,
): Promise<IssuedSecret | null> {
  const issued = new IssuedSecret(unpack(result.issued));
  if (!replayed) return issued;
  return ctx.db.transaction(async (tx) => {
    const [holding] = await tx.rows<{ accountId: string; projectId: string | null }>(current, result);
    if (!holding) return null;
    await record(ctx, tx, {
      action: 'credential:reveal',
      target: { type: 'Credential', id: result.id },
      ...holding,
    });
    return issued;
  });
}

/** The same; where the secret must not be shown any more, it still says which key it was. */
export async function shownOrNamed(
  ctx: RequestContext,
  outcome: OnceOutcome<{ id: string; version: number; issued: Packed }>,
  { expiresAt }: Pick<Credential, 'expiresAt'>,
): Promise<IssuedSecret> {
  const { accessKey } = outcome.result.issued;
  return (await shown(ctx, outcome)) ?? new IssuedSecret({ accessKey, secret: null, keys: null, expiresAt });
}

const current = sql(`
  SELECT c.account_id AS "accountId", c.project_id AS "projectId" FROM credentials c
  JOIN credential_versions v ON v.credential_id = c.id AND v.number = :version AND v.state = 'CURRENT'
  WHERE c.id = :id AND ${works}
  FOR UPDATE OF c`);
