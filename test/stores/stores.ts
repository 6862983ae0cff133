import type { AskOptions, SharedServer } from '../support/server.js';
import { expectData, unique } from '../support/make.js';
import type { StandIn } from '../upstreams/stand-in.js';

type Input = Record<string, unknown>;

const fields = `id name kind endpoint region capabilities rotation { chosenBy previous }
  health { reachable checkedAt circuit problem } budget { limit used window resetsAt }
  lastSync { startedAt finishedAt added changed gone error }`;
const payload = `store { ${fields} }`;

const verb =
  (name: string, selection: string) => (server: SharedServer, input: Input, options?: AskOptions) => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    return server.ask(
      `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`,
      { input },
      options,
    );
  };

/** The verbs of stores as a caller sends them, with all that there is to ask for in the answer. */
export const createStore = verb('createStore', payload);
export const updateStore = verb('updateStore', payload);
export const deleteStore = verb('deleteStore', 'deletedId');
export const checkStore = verb('checkStore', payload);

/** A server that is asked who is calling, and takes this token. */
export const seqeraAt = ({ url, token }: StandIn & { token: string }, input: Input = {}) => ({
  seqera: { endpoint: url, token, ...input },
});

/** Connects a store of an account's, and returns its id. */
export async function makeStore(
  server: SharedServer,
  account: string,
  connection: Input,
  input: Input = {},
): Promise<string> {
  const answer = await createStore(server, { account, name: unique('store'), connection, ...input });
  return expectData(answer).createStore.store.id;
}

/** The store as the administrator sees it; null where there is none. */
export async function readStore(server: SharedServer, id: string) {
  const text = `query ($id: ID!) { node(id: $id) { ... on CredentialStore { ${fields} } } }`;
  return expectData(await server.ask(text, { id })).node;
}

/** The credential that Keyway reaches a store with, as the administrator sees it. */
export async function ownKeyOf(server: SharedServer, id: string) {
  const text = `query ($id: ID!) { credentials(filter: { store: [$id] }) { nodes {
    id name kind accessKey status retrievable reachesStore revision externalId owner { id } account { id }
    versions { number state accessKey } } } }`;
  const { nodes } = expectData(await server.ask(text, { id })).credentials;
  return nodes.find(({ reachesStore }: { reachesStore: boolean }) => reachesStore);
}
