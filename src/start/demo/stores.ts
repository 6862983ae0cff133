import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { findAccountByName } from '../../accounts/find.js';
import type { Config } from '../../config/config.js';
import { installed } from '../../config/installed.js';
import { syncStore } from '../../credentials/sync/sync-store.js';
import { updateCredential } from '../../credentials/update.js';
import { sql } from '../../database/database.js';
import { requestsOf, type Requests } from './request.js';
import { encodeId } from '../../ids.js';
import type { Keyway } from '../keyway.js';
import type { Log } from '../../log.js';
import { openOutbound } from '../../outbound/outbound.js';
import { createStore } from '../../stores/create.js';
import { findProjectByName } from '../../projects/find.js';
import { openGates } from '../../stores/gate.js';
import type { StoreConnectionInput } from '../../stores/connection.input.js';

/** Servers on this machine in the places of the vendors', and how to connect each. */
export interface StandIns {
  readonly stores: readonly StandInStore[];
  stop(): Promise<void>;
}

/** How to connect one; accounts and projects are those of the examples, by their names. */
export interface StandInStore {
  readonly name: string;
  readonly account: string;
  readonly connection: StoreConnectionInput;
  /** Who answers for a credential of its, and in which project: what a store does not know. */
  readonly owned?: readonly { name: string; owner: string; project?: string }[];
}

/**
 * Starts the stand-ins of the vendors, which lie with the tests and are loaded for this alone.
 * @throws an Error to show where this Keyway came without them.
 */
export async function startStandIns(): Promise<StandIns> {
  const built = installed('dist/test/upstreams/filled.js');
  if (!existsSync(built))
    throw new Error('The stand-ins of the stores are not here: this Keyway came without its tests.');
  const { startFilled } = (await import(pathToFileURL(built).href)) as {
    startFilled: () => Promise<StandIns>;
  };
  return startFilled();
}

/**
 * Connects each stand-in as a store and syncs it, as the administrator would. Returns what to tell whoever
 * asked for it.
 */
export async function connectStores(
  keyway: Keyway,
  config: Config,
  log: Log,
  { stores }: StandIns,
): Promise<string> {
  const outbound = openOutbound({ allowedRanges: config.outboundRanges, local: config.outboundLocal });
  const requests = await requestsOf(keyway, log, null, openGates(outbound, log), config.outboundLocal);
  try {
    for (const { name, account, connection, owned = [] } of stores) {
      const { id: accountId } = needed(await findAccountByName(requests.next(), account));
      const input = { name, account: encodeId('Account', accountId), connection };
      const { id } = await createStore(requests.next(), input);
      await syncStore(requests.next(), { id: encodeId('CredentialStore', id) });
      for (const one of owned) await own(keyway, requests, id, one);
    }
  } finally {
    await requests.finish();
    await outbound.close();
  }
  return [
    'Connected these stores, each to a stand-in of its vendor that runs for as long as this Keyway does:',
    '',
    ...stores.map(({ name, account }) => `  ${name.padEnd(10)}  of the account ${account}`),
  ].join('\n');
}

/** What the explorer's example asks a person to bring to connect a store: that of the stand-in it is written for. */
export function exampleStore({ stores }: StandIns): Config['exampleStore'] {
  const ncloud = stores.find(({ connection }) => connection.ncloud)?.connection.ncloud;
  if (!ncloud) return undefined;
  return { storeAddress: ncloud.stsEndpoint, storeKey: ncloud.accessKey, storeSecret: ncloud.secretKey };
}

async function own(
  { db }: Keyway,
  requests: Requests,
  storeId: string,
  { name, owner, project }: NonNullable<StandInStore['owned']>[number],
): Promise<void> {
  const { id } = needed((await db.rows<{ id: string }>(named, { storeId, name }))[0]);
  const { id: ownerId } = needed(await findAccountByName(requests.next(), owner));
  const place = project && needed(await findProjectByName(requests.next(), project)).id;
  await updateCredential(requests.next(), {
    id: encodeId('Credential', id),
    owner: encodeId('Account', ownerId),
    ...(place && { project: encodeId('Project', place) }),
  });
}

function needed<Thing>(found: Thing | null | undefined): Thing {
  if (!found) throw new Error('The examples are not those that the stores belong to.');
  return found;
}

const named = sql(
  'SELECT id FROM credentials WHERE store_id = :storeId AND name = :name AND deleted_at IS NULL',
);
