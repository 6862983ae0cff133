import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCluster, type Cluster } from '../support/cluster.js';
import {
  emptyPlace,
  onServer,
  runKeyway,
  spawnKeyway,
  urlOf,
  type Place,
  type Spawned,
} from '../support/process.js';

let primary: Cluster;
let replica: Cluster;
let place: Place;
let keyway: Spawned;
let url: string;
let token: string;
let account: string;
let environment: Record<string, string>;

beforeEach(async () => {
  primary = await makeCluster();
  await onServer(primary.url, 'CREATE ROLE keyway LOGIN');
  await onServer(primary.url, 'CREATE DATABASE keyway OWNER keyway');
  replica = await primary.standby();
  place = await emptyPlace();
  environment = {
    ...place.environment,
    DATABASE_URL: asKeyway(primary),
    KEYWAY_DATABASE_READ_URL: asKeyway(replica),
  };
  keyway = spawnKeyway(['serve'], environment);
  url = await urlOf(keyway);
  token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
  account = (await ask<{ viewer: { id: string } }>('{ viewer { id } }')).data.viewer.id;
});
afterEach(async () => {
  keyway.child.kill('SIGTERM');
  expect(await keyway.ended).toBe(0);
  await replica.drop();
  await primary.drop();
  await place.drop();
});

/** A role of its own: what it must ask the servers is nothing that only a superuser may. */
const asKeyway = ({ port }: Cluster) => `postgres://keyway@127.0.0.1:${port}/keyway`;

interface Answer<Data> {
  data: Data;
  extensions: { asOf?: string };
  errors?: { extensions: { code: string } }[];
}

async function ask<Data>(query: string, variables: object = {}): Promise<Answer<Data>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer<Data>;
}

const create = async (name: string) => {
  const { data } = await ask<{ createCredential: { credential: { id: string } } }>(
    `mutation ($account: ID!, $name: String!) {
      createCredential(input: { account: $account, name: $name, secret: { accessKey: {} } }) { credential { id } } }`,
    { account, name },
  );
  return data.createCredential.credential.id;
};
const list = () =>
  ask<{ credentials: { nodes: { name: string; status: string }[] } }>(
    '{ credentials(first: 50) { nodes { name status account { name } roles { name } } } }',
  );
const namesIn = async () => (await list()).data.credentials.nodes.map(({ name }) => name);

/** Waits until lists are read from the replica. */
async function untilReadFrom(): Promise<void> {
  const before = await readThere(replica);
  await until(async () => (await list(), (await readThere(replica)) > before));
}

/** How many rows have been read from the table of credentials there, sessions that are still open among them. */
const readThere = async ({ port }: Cluster) => {
  const [row] = await onServer<{ read: string }>(
    `postgres://postgres@127.0.0.1:${port}/keyway`,
    "SELECT idx_tup_fetch + seq_tup_read AS read FROM pg_stat_user_tables WHERE relname = 'credentials'",
  );
  return Number(row?.read);
};

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((go) => setTimeout(go, 100)))
    if (await isSo()) return;
  throw new Error('it did not come to be so');
}

test('R28: a list is read from the replica, and shows every change that was answered before', async () => {
  const names: string[] = [];
  for (let count = 0; count < 30; count++) {
    const name = `one ${count}`;
    await create(name);
    names.push(name);
    expect((await namesIn()).filter((each) => each.startsWith('one')).sort()).toEqual([...names].sort());
  }
  await untilReadFrom();
  const { extensions } = await list();
  expect(Math.abs(Date.parse(extensions.asOf ?? '') - Date.now())).toBeLessThan(60_000);
});

test('R28: one that is behind is not read from: the primary answers', async () => {
  await create('before');
  await untilReadFrom();
  await until(async () => /^ok +replica /m.test((await runKeyway(['doctor'], environment)).output));
  await onServer(replica.url, 'SELECT pg_wal_replay_pause()');
  const id = await create('meanwhile');
  expect(await namesIn()).toContain('meanwhile');
  await ask('mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { id } } }', { id });
  const { data } = await list();
  expect(data.credentials.nodes).toContainEqual(
    expect.objectContaining({ name: 'meanwhile', status: 'REVOKED' }),
  );
  expect((await runKeyway(['doctor'], environment)).output).toMatch(
    /^warning +replica .*behind the primary/m,
  );
  await onServer(replica.url, 'SELECT pg_wal_replay_resume()');
});

test('a replica that is not there, or says nothing, costs a query a moment: the primary answers', async () => {
  await create('there');
  await untilReadFrom();
  replica.pause();
  try {
    for (let count = 0; count < 3; count++) expect(await namesIn()).toContain('there');
  } finally {
    replica.resume();
  }
  await replica.stop('immediate');
  for (let count = 0; count < 3; count++) expect(await namesIn()).toContain('there');
  expect(keyway.output()).toContain('queries are not read from KEYWAY_DATABASE_READ_URL');
});

test('one that follows no more is not read from', async () => {
  await create('followed');
  await untilReadFrom();
  await replica.promote();
  await create('after');
  for (let count = 0; count < 5; count++) expect(await namesIn()).toContain('after');
});

/** Starts Keyway anew with this address for queries, and lists. @returns what its log says of that */
async function toldOf(readUrl: string): Promise<string> {
  await create('of ours');
  keyway.child.kill('SIGTERM');
  expect(await keyway.ended).toBe(0);
  keyway = spawnKeyway(['serve'], { ...environment, KEYWAY_DATABASE_READ_URL: readUrl });
  url = await urlOf(keyway);
  await until(async () => {
    expect(await namesIn()).toContain('of ours');
    return keyway.output().includes('queries are not read from KEYWAY_DATABASE_READ_URL');
  });
  const { output } = await runKeyway(['doctor'], { ...environment, KEYWAY_DATABASE_READ_URL: readUrl });
  return /^warning +replica .*$/m.exec(output)?.[0] ?? '';
}

test('another database of the server that follows is not read from', async () => {
  await onServer(primary.url, 'CREATE DATABASE other OWNER keyway');
  const readUrl = asKeyway(replica).replace(/keyway$/, 'other');
  await until(() =>
    onServer(readUrl, 'SELECT 1').then(
      () => true,
      () => false,
    ),
  );
  expect(await toldOf(readUrl)).toContain('names another database than DATABASE_URL');
});

test('a server that follows another one is not read from, however far its log has come', async () => {
  const foreign = await makeCluster();
  let following: Cluster | undefined;
  try {
    await onServer(foreign.url, 'CREATE ROLE keyway LOGIN');
    await onServer(foreign.url, 'CREATE DATABASE keyway OWNER keyway');
    for (let count = 0; count < 8; count++)
      await onServer(foreign.url, 'SELECT pg_switch_wal(), txid_current()');
    following = await foreign.standby();
    expect(await toldOf(asKeyway(following))).toContain('does not follow that of DATABASE_URL');
  } finally {
    await following?.drop();
    await foreign.drop();
  }
});
