import type { RequestContext } from '../../access/context.js';
import { whoseOf } from '../../access/principal.js';
import { renewVerifiers, ifPossible } from '../../access/renew-verifiers.js';
import { sql } from '../../database/database.js';
import type { Case } from './case.js';

/**
 * Keeps what was proven just now by the current keys and parameters, where it is kept by older ones. It changes nothing
 * where the secret was replaced meanwhile.
 */
export async function renewProven(ctx: RequestContext, cases: readonly Case[]): Promise<void> {
  const proven = cases.flatMap(({ match: { version, proven: secret } }) =>
    version && !version.fault && secret ? [{ ...version, lookupId: version.accessKey, secret }] : [],
  );
  await Promise.all([renewVerifiers(ctx.db, ctx.keyring, proven), renewHashes(ctx, cases)]);
}

async function renewHashes(
  { db, keyring, principal }: RequestContext,
  cases: readonly Case[],
): Promise<void> {
  const stale = cases.flatMap(({ match: { version, stale } }) =>
    version && stale && !version.fault ? [{ version, stale }] : [],
  );
  if (stale.length === 0) return;
  await ifPossible(async () => {
    const hashes = await Promise.all(stale.map((one) => keyring.hashPassword(whoseOf(principal), one.stale)));
    await db.rows(rehashed, {
      ids: stale.map(({ version }) => version.id),
      numbers: stale.map(({ version }) => version.number),
      olds: stale.map(({ version }) => version.passwordHash),
      hashes: hashes.map(({ hash }) => hash),
      peppers: hashes.map(({ pepperId }) => pepperId),
    });
  });
}

const rehashed = sql(`
  UPDATE credential_versions v SET password_hash = made.hash, pepper_id = made.pepper
  FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:olds AS text[]), CAST(:hashes AS text[]), CAST(:peppers AS text[]))
    AS made (id, number, old, hash, pepper)
  WHERE v.credential_id = made.id AND v.number = made.number AND v.password_hash = made.old`);
