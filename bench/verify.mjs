// npm run bench:verify: verification by the thin route, by the graph, in batches and of passwords, beside the least that
// could do it (verify-baseline.mjs), in turns.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machine, openFilled, root, rowsWanted } from './filled.mjs';
import { closedLoop, connections, endAll, median, roundMs, rounds, started } from './load.mjs';

const { Secret } = await import('../dist/src/secret.js');

const keysKnown = 100_000;
const passwordsKnown = 300;
const batch = 100;
const wanted = { route: 0.8, graph: 0.5 };

const keyway = await openFilled();
let failed = false;
try {
  const keys = await knownKeys();
  const passwords = await knownPasswords();
  const doors = await openDoors();
  let next = 0;
  const nextKey = () => keys[next++ % keys.length];
  const input = ({ accessKey, secret }) => ({ accessKey, proof: { secret }, ip: '192.0.2.1' });
  const field = 'verifyCredential(input: $input) { valid code credential { id } }';
  const one = `mutation ($input: VerifyCredentialInput!) { ${field} }`;
  const verdict =
    'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { valid code } }';
  const many =
    'mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { valid code } }';
  const notValid = (text) => text.includes('"errors"') || text.includes('"valid":false');
  const ways = {
    baseline: { door: doors.baseline, body: () => JSON.stringify(input(nextKey())), times: 1 },
    route: { door: doors.route, body: () => JSON.stringify(input(nextKey())), times: 1 },
    graph: {
      door: doors.graph,
      body: () => JSON.stringify({ query: verdict, variables: { input: input(nextKey()) } }),
      times: 1,
    },
    'graph, with the credential': {
      door: doors.graph,
      body: () => JSON.stringify({ query: one, variables: { input: input(nextKey()) } }),
      times: 1,
    },
    [`graph, batches of ${batch}`]: {
      door: doors.graph,
      body: () =>
        JSON.stringify({
          query: many,
          variables: { inputs: Array.from({ length: batch }, () => input(nextKey())) },
        }),
      times: batch,
    },
    passwords: {
      door: doors.route,
      body: () => JSON.stringify(input(passwords[next++ % passwords.length])),
      times: 1,
    },
  };
  const measured = [];
  for (let round = -1; round < rounds; round++) {
    for (const [name, { door, body, times }] of Object.entries(ways)) {
      const figures = await closedLoop(door, body, { wrong: notValid });
      // The first round warms compilers and caches up.
      if (round >= 0) measured.push({ name, ...figures, rate: figures.rate * times });
    }
  }
  const beside = await besideFlood(ways, notValid);
  await report(Object.keys(ways), measured, beside);
} finally {
  endAll();
  await keyway.close();
}
if (failed) process.exit(1);

/** Gives keys of the filled database secrets that are known here: working ones, spread over all of them. */
async function knownKeys() {
  const { db, keyring } = keyway;
  const rows = await db.rows({
    text: `SELECT c.id, c.access_key AS "accessKey", v.number FROM credentials c
      JOIN stores s ON s.id = c.store_id AND s.kind = 'BUILT_IN' JOIN accounts a ON a.id = c.account_id AND a.enabled
      JOIN credential_versions v ON v.credential_id = c.id AND v.state = 'CURRENT'
      WHERE c.kind = 'ACCESS_KEY' AND c.enabled AND c.revoked_at IS NULL AND c.deleted_at IS NULL AND c.standing = 'KNOWN'
        AND coalesce(c.expires_at > now() + interval '1 day', true)
      ORDER BY md5(c.id::text) LIMIT ${keysKnown}`,
    names: [],
  });
  const verifiers = rows.map(({ accessKey }) =>
    keyring.verifier(accessKey, Secret.of(`secret of ${accessKey}`)),
  );
  await db.rows(
    {
      text: `UPDATE credential_versions v SET verifier = made.verifier, verifier_key_id = $4
        FROM unnest($1::uuid[], $2::integer[], $3::bytea[]) AS made (id, number, verifier)
        WHERE v.credential_id = made.id AND v.number = made.number AND v.verifier IS DISTINCT FROM made.verifier`,
      names: ['ids', 'numbers', 'verifiers', 'key'],
    },
    {
      ids: rows.map(({ id }) => id),
      numbers: rows.map(({ number }) => number),
      verifiers: verifiers.map(({ verifier }) => verifier),
      key: keyring.currentVerifierId(),
    },
  );
  return rows.map(({ accessKey }) => ({ accessKey, secret: `secret of ${accessKey}` }));
}

async function knownPasswords() {
  const { db, keyring } = keyway;
  const rows = await db.rows({
    text: `SELECT c.id FROM credentials c JOIN stores s ON s.id = c.store_id AND s.kind = 'BUILT_IN'
      WHERE c.kind = 'PASSWORD' AND c.enabled AND c.revoked_at IS NULL AND c.deleted_at IS NULL AND c.standing = 'KNOWN'
        AND coalesce(c.expires_at > now() + interval '1 day', true)
      ORDER BY md5(c.id::text) LIMIT ${passwordsKnown}`,
    names: [],
  });
  const made = [];
  for (const [n, { id }] of rows.entries()) {
    const known = { accessKey: `bench-user-${n}`, secret: `password of user ${n}` };
    const { hash, pepperId } = await keyring.hashPassword([], Secret.of(known.secret));
    await db.rows(
      { text: 'UPDATE credentials SET access_key = $1 WHERE id = $2', names: ['key', 'id'] },
      { key: known.accessKey, id },
    );
    await db.rows(
      {
        text: `UPDATE credential_versions SET password_hash = $1, pepper_id = $2, verifier = NULL, verifier_key_id = NULL
          WHERE credential_id = $3 AND state = 'CURRENT'`,
        names: ['hash', 'pepperId', 'id'],
      },
      { hash, pepperId, id },
    );
    made.push(known);
  }
  return made;
}

async function openDoors() {
  const token = readFileSync(join(keyway.dataDir, 'admin-token'), 'utf8').trim();
  const url = await started([join(root, 'bin/keyway.js'), 'serve'], {
    ...keyway.environment,
    KEYWAY_LOG_LEVEL: 'info',
    NODE_ENV: 'test',
  });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return {
    baseline: {
      url: await started([join(root, 'bench/verify-baseline.mjs')], { DATABASE_URL: keyway.url }),
      headers: { 'content-type': 'application/json' },
    },
    route: { url: `${url}/v1/verify`, headers },
    graph: { url: `${url}/graphql`, headers },
  };
}

/** A key's p99 by itself, and beside a flood of passwords (R23): few callers, who leave the machine room to spare. */
async function besideFlood({ route, passwords }, wrong) {
  const few = { wrong, callers: 4, forMs: roundMs };
  const alone = await closedLoop(route.door, route.body, few);
  const [beside] = await Promise.all([
    closedLoop(route.door, route.body, few),
    closedLoop(passwords.door, passwords.body, { ...few, callers: 16 }),
  ]);
  return { alone, beside };
}

async function report(names, measured, { alone, beside }) {
  const of = (name, figure) =>
    median(
      measured.filter((one) => one.name === name),
      figure,
    );
  const lines = names.map((name) => {
    const ratio = of(name, 'rate') / of('baseline', 'rate');
    if (wanted[name] && ratio < wanted[name]) {
      failed = true;
      console.error(`${name}: ${ratio.toFixed(2)} of the baseline, ${wanted[name]} wanted`);
    }
    return `| ${[name, Math.round(of(name, 'rate')), of(name, 'p50').toFixed(1), of(name, 'p99').toFixed(1), ratio.toFixed(2)].join(' | ')} |`;
  });
  const table = `| | verifications a second | p50 ms | p99 ms | / baseline |
|---|--:|--:|--:|--:|
${lines.join('\n')}

A key by the route, 4 callers: p99 ${alone.p99.toFixed(1)} ms alone, ${beside.p99.toFixed(1)} ms beside 16 callers with passwords (${(beside.p99 / alone.p99).toFixed(2)} times; R23 allows 2).`;
  console.log(table);
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(
    join(root, 'bench/results/verify.md'),
    `# Verification

Keyway over HTTP, which authenticates its caller, looks at the database for every single verification, compares secrets,
notes every use and records every decision; beside a baseline that does none of it: \`node:http\`, \`pg\`, and the same
statement. ${connections} connections, each asking again as soon as it is answered; ${rounds} rounds of ${roundMs / 1000} s for each, in turns, after
one to warm up; medians of the rounds. ${keysKnown.toLocaleString('en')} keys in turn. The caller, the servers and PostgreSQL share the processors, so
read the ratio, not the rates. Made by \`npm run bench:verify\`.

${await machine(keyway.db)} ${rowsWanted.toLocaleString('en')} credentials.

${table}
`,
  );
}
