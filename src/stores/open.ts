import type { RequestContext } from '../access/context.js';
import { whoseOf } from '../access/principal.js';
import { authoritiesField } from '../connectors/connection.js';
import type { Connector, Upstream } from '../connectors/connector.js';
import { textSetting } from '../connectors/settings.js';
import { sql, type Sql, type Tx } from '../database/database.js';
import { conflict, KeywayError, notFound } from '../errors.js';
import type { RecordPlace, SealedRecord } from '../keyring/envelope.js';
import type { Keyring } from '../keyring/keyring.js';
import { Secret } from '../secret.js';
import { destinationOf } from './sealed/destination.js';
import type { CredentialStore } from './store.js';

/** What is needed to speak with a store: of a request, or of a job. */
export type StoreParts = Pick<RequestContext, 'db' | 'keyring' | 'connectors' | 'gates' | 'log'> &
  Partial<Pick<RequestContext, 'principal' | 'elsewhere'>>;

/** A store with what Keyway proves itself with there, as the tables have it. */
export type SealedStore = Pick<
  CredentialStore,
  'id' | 'name' | 'kind' | 'accountId' | 'addresses' | 'settings' | 'secretNumber'
> & { sealed: Buffer };

/** A store that is open. */
export interface OpenStore {
  readonly store: SealedStore;
  readonly connector: Connector;
  readonly upstream: Upstream;
}

/**
 * Opens a store for as long as `work` takes; its secrets are wiped from memory after. Whether the caller may use it is
 * for the verb to have decided.
 * @param left ends what is only read there when it is aborted
 * @throws NOT_FOUND where it is gone, CONFLICT where it is Keyway's own, which nobody calls; what `work` throws.
 */
export async function withStore<Result>(
  parts: StoreParts,
  storeId: string,
  work: (open: OpenStore) => Promise<Result>,
  left?: AbortSignal,
): Promise<Result> {
  const store = await sealedStore(parts.db, storeId);
  const connector = parts.connectors[store.kind];
  if (!connector) throw new KeywayError('INTERNAL_SERVER_ERROR');
  const secrets = await openSecrets(parts.keyring, store);
  try {
    return await work({ store, connector, upstream: upstreamOf(parts, store, connector, secrets, left) });
  } finally {
    for (const secret of Object.values(secrets)) secret.wipe();
  }
}

/** The same store, asked for what a change needs: its reads may spend what is left for changes. */
export const forChange = (upstream: Upstream): Upstream => ({
  ...upstream,
  call: (request) => upstream.call({ ...request, forChange: true }),
});

/** A connection that is not kept yet, opened to be tried. */
export function upstreamOf(
  { db, gates, principal, elsewhere = here }: Pick<StoreParts, 'db' | 'gates' | 'principal' | 'elsewhere'>,
  { id, addresses, settings }: Pick<SealedStore, 'id' | 'addresses' | 'settings'>,
  { kind, budget }: Connector,
  secrets: Readonly<Record<string, Secret>>,
  left?: AbortSignal,
): Upstream {
  let session: Promise<unknown> | undefined;
  const trusted = textSetting({ settings }, authoritiesField) ?? undefined;
  const whose = principal && whoseOf(principal);
  return {
    addresses,
    settings,
    secrets,
    // Whole, as it is signed.
    now: () => Math.floor(db.now()),
    call: (request) =>
      elsewhere(() => gates.call({ id, kind, addresses, budget, trusted, whose }, request, left)),
    session: <Thing>(make: () => Promise<Thing>, again = false) => {
      if (session === undefined || again) session = make();
      return session as Promise<Thing>;
    },
  };
}

/** What a job does has no place among requests. */
const here: RequestContext['elsewhere'] = (work) => work();

/** Seals what Keyway proves itself with at a store, for that store alone, where it is. */
export function sealSecrets(
  keyring: Keyring,
  store: Pick<SealedStore, 'id' | 'accountId' | 'secretNumber' | 'addresses'>,
  secrets: Readonly<Record<string, Secret>>,
): Promise<SealedRecord> {
  const plain = Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.expose()]));
  return keyring.seal(Secret.of(JSON.stringify(plain)), storeRecordPlace(store));
}

/** What Keyway proves itself with at a store. To be wiped after use. */
export async function openSecrets(keyring: Keyring, store: SealedStore): Promise<Record<string, Secret>> {
  const plain = await keyring.open(Buffer.from(store.sealed), storeRecordPlace(store));
  try {
    const secrets = JSON.parse(plain.expose()) as Record<string, string>;
    return Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, Secret.of(value)]));
  } finally {
    plain.wipe();
  }
}

/** A store as it is by now, locked to the end of the transaction. @throws NOT_FOUND, CONFLICT as `withStore` */
export const lockedStore = (tx: Tx, id: string): Promise<SealedStore> => sealedStore(tx, id, locked);

async function sealedStore(db: Sql, id: string, statement = byId): Promise<SealedStore> {
  const [store] = await db.rows<SealedStore>(statement, { id });
  if (!store) throw notFound();
  if (!(store.sealed as Buffer | null))
    throw conflict("This is Keyway's own store: there is no outside system to call.");
  return store;
}

/** Where the secrets of a store are sealed to: the account may be nobody's only for Keyway's own, which has none. */
export const storeRecordPlace = ({
  id,
  accountId,
  secretNumber,
  addresses,
}: Pick<SealedStore, 'id' | 'accountId' | 'secretNumber' | 'addresses'>): RecordPlace => ({
  accountId: accountId ?? id,
  projectId: null,
  credentialId: id,
  version: secretNumber,
  field: 'store',
  destination: destinationOf({ addresses }),
});

const sealedById = `
  SELECT id, name, kind, account_id AS "accountId", addresses, settings, secret_number AS "secretNumber", sealed
  FROM stores WHERE id = :id AND deleted_at IS NULL`;
const byId = sql(sealedById);
const locked = sql(`${sealedById} FOR UPDATE`);
