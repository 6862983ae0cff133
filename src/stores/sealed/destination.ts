import { sql, type Tx } from '../../database/database.js';
import type { CredentialStore } from '../store.js';

/**
 * Where the secrets of a store may be sent to: the origins of its addresses, in one order. What is sealed for one
 * destination opens for no other. Undefined for Keyway's own store, which sends nothing.
 */
export function destinationOf({ addresses }: Pick<CredentialStore, 'addresses'>): string | undefined {
  const origins = new Set(Object.values(addresses).map((address) => new URL(address).origin));
  return origins.size === 0 ? undefined : [...origins].sort().join(' ');
}

/** The destination of each of these stores, none of which gets another one before the end of the transaction. */
export async function heldDestinations(
  tx: Tx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const stores = await tx.rows<Pick<CredentialStore, 'id' | 'addresses'>>(held, { ids });
  return new Map(stores.map((store) => [store.id, destinationOf(store)]));
}

const held = sql(`
  SELECT id, addresses FROM stores WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR KEY SHARE`);
