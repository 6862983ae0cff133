// npm run bench:queries: Keyway over HTTP, beside the least that could answer the same (baseline.mjs), in turns.
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import { machine, openFilled, root, rowsWanted } from './filled.mjs';

const { encodeId, parseId } = await import('../dist/src/ids.js');

const connections = 32;
const roundMs = Number(process.env.ROUND_MS ?? 4_000);
const rounds = Number(process.env.ROUNDS ?? 5);
const checked = 50;

const fields = 'id name status account { id name } project { id name } roles { id name }';
const queries = {
  Q1: {
    about: '50 credentials of one project with account, project and roles',
    text: `query ($id: ID!) { node(id: $id) { ... on Project { credentials(first: 50) { nodes { ${fields} } } } } }`,
    type: 'Project',
    ids: `SELECT project_id AS id FROM credentials WHERE deleted_at IS NULL AND project_id IS NOT NULL
      GROUP BY project_id HAVING count(*) >= 50 ORDER BY md5(project_id::text) LIMIT 1000`,
  },
  Q2: {
    about: 'one credential by its id, the same fields',
    text: `query ($id: ID!) { credential(id: $id) { ${fields} } }`,
    type: 'Credential',
    ids: `SELECT id FROM credentials WHERE deleted_at IS NULL AND project_id IS NOT NULL ORDER BY md5(id::text) LIMIT 10000`,
  },
};

const keyway = await openFilled();
const children = [];
const agent = new Agent({ keepAlive: true, maxSockets: connections });
try {
  const doors = { Keyway: await keywayDoor(), baseline: await baselineDoor() };
  for (const query of Object.values(queries)) {
    query.uuids = (await keyway.db.rows({ text: query.ids, names: [] })).map(({ id }) => id);
    if (query.uuids.length === 0) throw new Error(`too few rows to ask for ${query.about}`);
  }
  for (const name of Object.keys(queries)) await expectSame(doors, name);
  await report(await measureInTurns(doors));
} finally {
  agent.destroy();
  for (const child of children) child.kill('SIGTERM');
  await keyway.close();
}

async function keywayDoor() {
  const token = readFileSync(join(keyway.dataDir, 'admin-token'), 'utf8').trim();
  const url = await started([join(root, 'bin/keyway.js'), 'serve'], {
    ...keyway.environment,
    KEYWAY_LOG_LEVEL: 'info',
    NODE_ENV: 'test',
  });
  return {
    url: `${url}/graphql`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: (name, uuid) =>
      JSON.stringify({ query: queries[name].text, variables: { id: encodeId(queries[name].type, uuid) } }),
  };
}

async function baselineDoor() {
  return {
    url: await started([join(root, 'bench/baseline.mjs')], { DATABASE_URL: keyway.url }),
    headers: { 'content-type': 'application/json' },
    body: (name, uuid) => JSON.stringify({ query: name, id: uuid }),
  };
}

/** Starts a process and waits until it says where it listens. */
function started(argv, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    child.once('exit', (code) => reject(new Error(`${argv[0]} ended with ${code}`)));
    let told = '';
    child.stdout.on('data', (part) => {
      if (told.length < 65_536) told += part;
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(told) ?? [];
      if (url) resolve(url);
    });
  });
}

/** Answers that are errors look fast: first, both doors must say the same. */
async function expectSame(doors, name) {
  for (const uuid of queries[name].uuids.slice(0, checked)) {
    const [ours, theirs] = await Promise.all(
      Object.values(doors).map(async (door) => JSON.parse(await ask(door, door.body(name, uuid)))),
    );
    if (ours.errors || !isDeepStrictEqual(withTableIds(ours), theirs))
      throw new Error(`${name} is answered differently by Keyway and by the baseline`);
  }
}

/** An answer with the tables' ids in place of the public ones. */
function withTableIds(answer) {
  return JSON.parse(JSON.stringify(answer), (key, value) => (key === 'id' ? parseId(value).uuid : value));
}

async function measureInTurns(doors) {
  const measured = [];
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(queries)) {
      for (const [door, way] of Object.entries(doors)) {
        const figures = await closedLoop(way, name);
        // The first round warms compilers and caches up.
        if (round >= 0) measured.push({ name, door, ...figures });
      }
    }
  }
  return measured;
}

/** So many connections, each asking again as soon as it is answered. */
async function closedLoop(door, name) {
  const { uuids } = queries[name];
  const times = [];
  const begin = performance.now();
  const until = begin + roundMs;
  let next = Math.floor(Math.random() * uuids.length);
  const caller = async () => {
    while (performance.now() < until) {
      const start = performance.now();
      const text = await ask(door, door.body(name, uuids[next++ % uuids.length]));
      if (text.startsWith('{"errors"')) throw new Error(`${name} was answered by an error`);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  const tookMs = performance.now() - begin;
  times.sort((a, b) => a - b);
  return { rate: (times.length / tookMs) * 1000, p50: at(times, 0.5), p99: at(times, 0.99) };
}

function ask({ url, headers }, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.end(body);
  });
}

async function report(measured) {
  const lines = Object.entries(queries).map(([name, { about }]) => {
    const of = (door, figure) =>
      at(
        measured
          .filter((one) => one.name === name && one.door === door)
          .map((one) => one[figure])
          .sort((a, b) => a - b),
        0.5,
      );
    const figures = ['Keyway', 'baseline'].flatMap((door) => [
      Math.round(of(door, 'rate')),
      of(door, 'p50').toFixed(1),
      of(door, 'p99').toFixed(1),
    ]);
    return `| ${[`${name}: ${about}`, ...figures, (of('Keyway', 'rate') / of('baseline', 'rate')).toFixed(2)].join(' | ')} |`;
  });
  const table = `| | Keyway, requests a second | p50 ms | p99 ms | baseline, requests a second | p50 ms | p99 ms | Keyway / baseline |
|---|--:|--:|--:|--:|--:|--:|--:|
${lines.join('\n')}`;
  console.log(table);
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(
    join(root, 'bench/results/queries.md'),
    `# Queries

Keyway over HTTP with authentication, authorization and GraphQL, beside a baseline that has none of them: \`node:http\`,
\`pg\`, and one prepared statement that lets PostgreSQL build the JSON. ${connections} connections, each asking again as
soon as it is answered; ${rounds} rounds of ${roundMs / 1000} s for each, in turns, after one to warm up; medians of the rounds. Both
gave the same answers to ${checked} of each query before. The caller, the server and PostgreSQL share the processors, so read the
ratio, not the rates. Made by \`npm run bench:queries\`.

${await machine(keyway.db)} ${rowsWanted.toLocaleString('en')} credentials.

${table}
`,
  );
}

function at(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}
