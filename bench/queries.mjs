// npm run bench:queries: Keyway over HTTP, beside the least that could answer the same (baseline.mjs), in turns.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { machine, openFilled, root, rowsWanted } from './filled.mjs';
import { ask, closedLoop, connections, endAll, median, roundMs, rounds, started } from './load.mjs';

const { encodeId, parseId } = await import('../dist/src/ids.js');

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
try {
  const doors = { Keyway: await keywayDoor(), baseline: await baselineDoor() };
  for (const query of Object.values(queries)) {
    query.uuids = (await keyway.db.rows({ text: query.ids, names: [] })).map(({ id }) => id);
    if (query.uuids.length === 0) throw new Error(`too few rows to ask for ${query.about}`);
  }
  for (const name of Object.keys(queries)) await expectSame(doors, name);
  await report(await measureInTurns(doors));
} finally {
  endAll();
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
        const { uuids } = queries[name];
        let next = Math.floor(Math.random() * uuids.length);
        const figures = await closedLoop(way, () => way.body(name, uuids[next++ % uuids.length]), {
          wrong: (text) => text.startsWith('{"errors"'),
        });
        // The first round warms compilers and caches up.
        if (round >= 0) measured.push({ name, door, ...figures });
      }
    }
  }
  return measured;
}

async function report(measured) {
  const lines = Object.entries(queries).map(([name, { about }]) => {
    const of = (door, figure) =>
      median(
        measured.filter((one) => one.name === name && one.door === door),
        figure,
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
