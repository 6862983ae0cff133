import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCluster } from '../support/cluster.js';
import { nodeOf, nodeVersions, postgresOf, postgresVersions } from '../support/other-versions.js';
import { emptyPlace, spawnKeyway, urlOf } from '../support/process.js';

const lineOf = (version: string) => version.split('.')[0] ?? '';

test.each(postgresVersions.map((version) => [lineOf(version), version]))(
  'with PostgreSQL %s: a first start, the life of a credential, the doctor, and a restart of the database',
  async (line, version) => {
    const cluster = await makeCluster([], postgresOf(version));
    try {
      await liveThrough({ DATABASE_URL: cluster.url }, undefined, async (ask, run) => {
        const doctor = await run('doctor', '--json');
        expect(doctor).toMatchObject({ code: 0 });
        expect(doctor.output).toContain(`PostgreSQL ${line}.`);
        await cluster.restart('immediate');
        await until(async () => Boolean((await ask('{ viewer { name } }')).data));
        expect(await ask('{ viewer { name } }')).toEqual({ data: { viewer: { name: 'admin' } } });
      });
    } finally {
      await cluster.drop();
    }
  },
  300_000,
);

test.each(nodeVersions.map((version) => [lineOf(version), version]))(
  'with Node %s: a first start, the life of a credential and the doctor, on both databases',
  async (line, version) => {
    const node = nodeOf(version);
    const check = async (_: Ask, run: Run) => {
      expect((await run('doctor', '--json')).output).toContain(`Node ${line}`);
    };
    await liveThrough({}, node, check);
    const cluster = await makeCluster();
    try {
      await liveThrough({ DATABASE_URL: cluster.url }, node, check);
    } finally {
      await cluster.drop();
    }
  },
  300_000,
);

interface Answer {
  data: Record<string, never> | null;
  errors?: unknown;
}
type Ask = (query: string, variables?: object) => Promise<Answer>;
type Run = (...args: string[]) => Promise<{ code: number | null; output: string }>;

/** Starts Keyway for the first time, and does to a credential all that is done to one; then `more`; then stops it. */
async function liveThrough(
  settings: Record<string, string>,
  node: string | undefined,
  more: (ask: Ask, run: Run) => Promise<void>,
): Promise<void> {
  const place = await emptyPlace();
  const environment = { ...place.environment, ...settings };
  const run: Run = async (...args) => {
    const { ended, output } = spawnKeyway(args, environment, { node });
    return { code: await ended, output: output() };
  };
  const keyway = spawnKeyway(['serve'], environment, { node });
  try {
    const url = await urlOf(keyway);
    const token = readFileSync(join(place.folder, 'admin-token'), 'utf8').trim();
    const ask: Ask = async (query, variables = {}) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as Answer;
    };
    await liveACredential(ask);
    await more(ask, run);
    keyway.child.kill('SIGTERM');
    expect(await keyway.ended).toBe(0);
    expect(await run('audit', 'verify')).toMatchObject({ code: 0 });
  } finally {
    keyway.child.kill('SIGKILL');
    await keyway.ended;
    await place.drop();
  }
}

/** One that is presented with its secret: created, rotated with a grace period, revoked. */
async function liveACredential(ask: Ask): Promise<void> {
  const expectData = async <Data>(query: string, variables?: object) => {
    const answer = await ask(query, variables);
    expect(answer.errors).toBeUndefined();
    return answer.data as Data;
  };
  const { viewer } = await expectData<{ viewer: { id: string } }>('{ viewer { id } }');
  const { createCredential: made } = await expectData<{ createCredential: Shown }>(create, {
    account: viewer.id,
  });
  const { id } = made.credential;
  const { accessKey, secret: first } = made.issued;
  const codeOf = async (secret: string) => {
    const { verifyCredential } = await expectData<{ verifyCredential: { code: string } }>(verify, {
      accessKey,
      secret,
    });
    return verifyCredential.code;
  };
  expect(await codeOf(first)).toBe('VALID');
  const { rotateCredential: rotated } = await expectData<{ rotateCredential: Shown }>(rotate, { id });
  expect(await codeOf(first)).toBe('VALID_PREVIOUS_SECRET');
  expect(await codeOf(rotated.issued.secret)).toBe('VALID');
  await expectData(revoke, { id });
  expect(await codeOf(rotated.issued.secret)).toBe('REVOKED');
  const { credentials } = await expectData<{ credentials: { nodes: unknown[] } }>(list);
  expect(credentials.nodes).toContainEqual({ name: 'lived', status: 'REVOKED' });
}

interface Shown {
  credential: { id: string };
  issued: { accessKey: string; secret: string };
}
const shown = 'credential { id } issued { accessKey secret }';
const create = `mutation ($account: ID!) {
  createCredential(input: { account: $account, name: "lived", secret: { accessKey: {} } }) { ${shown} } }`;
const rotate = `mutation ($id: ID!) { rotateCredential(input: { id: $id, gracePeriod: "PT1H" }) { ${shown} } }`;
const revoke = 'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { credential { id } } }';
const verify = `mutation ($accessKey: String!, $secret: String!) {
  verifyCredential(input: { accessKey: $accessKey, proof: { secret: $secret } }) { code } }`;
const list = '{ credentials(first: 10, filter: { search: "lived" }) { nodes { name status } } }';

/** @throws where it takes longer than half a minute. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 120; attempt++) {
    if (await isSo()) return;
    await sleep(250);
  }
  throw new Error('it did not come to be so');
}
