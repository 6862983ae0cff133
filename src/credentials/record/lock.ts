import { authorize } from '../../access/authorize.js';
import type { Permission } from '../../access/principal.js';
import { credentialScope } from '../../access/scope.js';
import { status } from '../../access/works.js';
import type { RequestContext } from '../../access/context.js';
import type { Tx } from '../../database/database.js';
import type { Part } from '../../database/joined.js';
import { conflict, notFound } from '../../errors.js';
import { selectRows } from '../../database/columns.js';
import { Credential } from './credential.js';
import { placeOf } from './allowed.js';

/**
 * The credential as it is at this instant, locked to the end of the transaction.
 * @param check whether the caller may do what it is locked for: by the permission, where nothing else is said.
 * @throws NOT_FOUND or FORBIDDEN where the caller's hold on it ended meanwhile.
 */
export async function lockCredential(
  ctx: RequestContext,
  tx: Tx,
  id: string,
  permission: Permission,
  check = (credential: Credential) => authorize(ctx.principal, permission, placeOf(credential)),
): Promise<Credential> {
  const { part, read } = lockOf(ctx, id, permission, check);
  return read(await tx.rows(part.statement, part.parameters));
}

/** The same as part of a statement, and what it brought. */
export function lockOf(
  ctx: RequestContext,
  id: string,
  permission: Permission,
  check = (credential: Credential) => authorize(ctx.principal, permission, placeOf(credential)),
): { part: Part; read: (rows: readonly object[]) => Credential } {
  const scope = credentialScope(ctx.principal, permission);
  const statement = ctx.db.statement(
    `credential locked:${scope.shape}`,
    (source) =>
      selectRows(source, Credential, 'c').addSelect(status, 'status').where('c.id = :id').andWhere(scope.sql),
    (text) => `${text} FOR UPDATE`,
  );
  return {
    part: { statement, parameters: { ...scope.parameters, id } },
    read: ([row]) => {
      const credential = row as Credential | undefined;
      if (!credential) throw notFound();
      check(credential);
      return credential;
    },
  };
}

/** @throws CONFLICT where the credential was changed since the caller read it. */
export function expectRevision(credential: Credential, expected: number | null | undefined): void {
  if (typeof expected === 'number' && expected !== credential.revision) {
    throw conflict(
      'The credential has been changed since you read it (expectedRevision): read it again, then repeat the change.',
    );
  }
}

/** @throws CONFLICT for what has ended for good, or is about to. */
export function expectLiving(credential: Credential): void {
  if (credential.deletedAt !== null) throw conflict('The credential is deleted.');
  if (credential.revokedAt !== null) throw conflict('The credential is revoked.');
  if (credential.endingSince !== null) throw conflict('The credential is being revoked in its store.');
}
