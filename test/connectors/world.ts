import { makeStore } from '../stores/stores.js';
import { expectData, makeAccount, unique } from '../support/make.js';
import type { Answer, SharedServer } from '../support/server.js';
import type { Match } from '../upstreams/stand-in.js';
import type { Case, Issued, Seeded, Vendor } from './conformance.js';

type Input = Record<string, unknown>;

const fields = `id name kind accessKey status retrievable reachesStore scope externalId observedAt goneAt revision
  description fullName email expiresAt enabled partial provider createdAt
  versions { number state accessKey } rotation { state safeToRetire } auditEvents { nodes { action outcome code } }`;
const shown = `credential { ${fields} } issued { accessKey secret keys { name value } expiresAt }`;
const selections: Record<string, string> = {
  createCredential: shown,
  rotateCredential: shown,
  issueTemporaryCredential: shown,
  revealCredential: `issued { accessKey secret keys { name value } }`,
};

/** A vendor that Keyway is connected to, in an account of its own. */
export interface World extends Vendor {
  account: string;
  store: string;
  /** Does a deed with this input. */
  run(mutation: string, input: Input): Promise<Answer>;
  /** Makes a credential there; fails where it could not be made. */
  make(input?: Input): Promise<{ id: string; externalId: string; scope: string; issued: Issued }>;
  /** Has a credential made at the vendor taken in; its id in Keyway. */
  takeIn(): Promise<Seeded & { id: string }>;
  /** What Keyway knows of in the store. */
  listed(): Promise<Pick<Shown, 'id' | 'name' | 'externalId'>[]>;
  /** Takes stock, and tells what was found. */
  sync(): Promise<Record<'added' | 'changed' | 'gone', number> & { error: string | null }>;
  /** The credential as the administrator sees it. */
  read(id: string): Promise<Shown>;
  /** How many calls came that could change something there; only those that fit, where a match is given. */
  writes(match?: Match): number;
}

/** Of a credential, what a suite looks at. */
export interface Shown {
  id: string;
  name: string;
  status: string;
  revision: number;
  externalId: string;
  scope: string;
  accessKey: string | null;
  description: string | null;
  goneAt: string | null;
  retrievable: boolean;
  versions: { number: number; state: string; accessKey: string | null }[];
  rotation: { state: string; safeToRetire: boolean } | null;
  auditEvents: { nodes: { action: string; outcome: string; code: string | null }[] };
}

/** Starts a vendor's stand-in and connects it. End it with `standIn.stop()`. */
export async function connect(server: SharedServer, { start }: Case): Promise<World> {
  const vendor = await start(server);
  const account = await makeAccount(server);
  const { connection } = vendor;
  const store = connection ? await makeStore(server, account, connection) : await idOfBuiltIn(server);

  const run: World['run'] = (mutation, input) => {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const selection = selections[mutation] ?? `credential { ${fields} }`;
    return server.ask(`mutation ($input: ${type}!) { ${mutation}(input: $input) { ${selection} } }`, {
      input,
    });
  };
  const sync: World['sync'] = async () => {
    const answer = await server.ask(
      'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { added changed gone error } } } }',
      { id: store },
    );
    return expectData(answer).syncStore.store.lastSync;
  };

  const listed: World['listed'] = async () => {
    const text = `query ($id: ID!) {
      credentials(filter: { store: [$id] }, first: 100) { nodes { id name externalId } } }`;
    return expectData(await server.ask(text, { id: store })).credentials.nodes;
  };

  return {
    ...vendor,
    account,
    listed,
    store,
    run,
    sync,
    make: async (input = {}) => {
      const answer = await run('createCredential', {
        store,
        account,
        name: unique('made'),
        ...vendor.wish(),
        ...input,
      });
      const { credential, issued } = expectData(answer).createCredential;
      const { id, externalId, scope } = credential;
      return { id, externalId, scope, issued };
    },
    takeIn: async () => {
      const seeded = vendor.seed();
      await sync();
      const found = (await listed()).find(({ externalId }) => externalId === seeded.externalId);
      if (!found) throw new Error('it was not taken in');
      return { ...seeded, id: found.id };
    },
    read: async (id) =>
      expectData(await server.ask(`query ($id: ID!) { credential(id: $id) { ${fields} } }`, { id }))
        .credential,
    writes: ({ method: wanted, path: fitting = /^/ } = {}) =>
      vendor.standIn.calls.filter(
        ({ method, target }) =>
          method !== 'GET' &&
          !/\/login(\/|$)/.test(target) &&
          (wanted ?? method) === method &&
          fitting.test(target),
      ).length,
  };
}

const idOfBuiltIn = async (server: SharedServer): Promise<string> =>
  expectData(await server.ask('{ store(name: "keyway") { id } }')).store.id;

/** How often a deed is on record as done, and as failed. */
export function recorded({ auditEvents: { nodes } }: Shown, action: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of nodes.filter((one) => one.action === action))
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/** How many versions of a credential are in this state. */
export const inState = ({ versions }: Shown, state: string): number =>
  versions.filter((one) => one.state === state).length;

/** Waits until something holds. @throws where it does not in time */
export async function until(holds: () => Promise<boolean> | boolean, withinMs = 15_000): Promise<void> {
  for (const end = performance.now() + withinMs; !(await holds());) {
    if (performance.now() > end) throw new Error('it did not come to hold in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
