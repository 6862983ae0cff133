/**
 * @slow 30 s
 * @embedded it has a PostgreSQL of its own
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { URI, type TOTP } from 'otpauth';
import { SignatureScheme } from '../src/signatures/scheme.js';
import { schemes } from '../src/signatures/schemes.js';
import { findPrograms, freePort, makeCluster, type Cluster } from './support/cluster.js';
import { claimsAt, makeSigner, signed, trusting } from './support/issuer.js';
import { startCollector, type TestCollector } from './support/otlp-collector.js';
import { emptyPlace, onServer, spawnKeyway, urlOf, type Place, type Spawned } from './support/process.js';
import { doorTo, type Answer, type Door } from './support/server.js';
import { keyOf, question, send } from './support/signing.js';
import { Traces } from './support/traces.js';
import { startSeqera, type Seqera } from './upstreams/seqera.js';

// Marked secrets of every kind go through a Keyway that logs all it can, in front of a PostgreSQL that logs all it can. Where
// this machine has no programs of PostgreSQL, it is the embedded one, and its files.

const programs = findPrograms();
let cluster: Cluster | undefined;
let place: Place;
let keyway: Spawned;
let server: Door;
let metricsPort: number;
let collector: TestCollector;
let seqera: Seqera;

/** What is presented as a name is looked up as it is: where PostgreSQL logs what statements are given, that is in its log. */
const asName = 'what was presented as an access key';

/** Each secret by what it is. */
const secrets = new Map<string, string>();
/** What was answered that may show no secret. */
const answers: string[] = [];

const mark = (name: string, secret: string | null): string => {
  if (secret === null || secret.length < 12) throw new Error(`${name} is no secret`);
  secrets.set(name, secret);
  return secret;
};
/** A fresh secret of that name. */
const fresh = (name: string): string =>
  mark(name, `Mk${randomBytes(24).toString('base64').replace(/[+/]/g, 'x')}`);
/** What is secret of a token: its id is shown. */
const markToken = (name: string, token: string | null): string => {
  mark(name, token?.split('_').at(-1) ?? null);
  return token ?? '';
};

beforeAll(async () => {
  cluster =
    programs === undefined
      ? undefined
      : await makeCluster(['log_statement=all', 'log_min_duration_statement=0', 'log_lock_waits=on']);
  place = await emptyPlace();
  seqera = await startSeqera();
  metricsPort = await freePort();
  collector = await startCollector();
  const signer = await makeSigner('EdDSA', 'canary');
  tokenOf = (subject, more) => signed(signer, claimsAt(Date.now(), issuer, subject, more));
  keyway = spawnKeyway(['serve'], {
    ...place.environment,
    DATABASE_URL: cluster?.url ?? '',
    ...trusting({ issuer, audience: 'keyway', jwks: { keys: [signer.jwk] } }),
    KEYWAY_LOG_LEVEL: 'trace',
    KEYWAY_METRICS_PORT: String(metricsPort),
    KEYWAY_OTEL_ENDPOINT: collector.url,
    KEYWAY_OTEL_SAMPLING: '1',
    KEYWAY_AUDIT_STREAM: `file://${join(place.folder, 'streamed.jsonl')}`,
    KEYWAY_SYNC_MINUTES: '0',
  });
  const url = await urlOf(keyway);
  server = doorTo(
    url,
    markToken('the first token', readFileSync(join(place.folder, 'admin-token'), 'utf8').trim()),
  );
});
afterAll(async () => {
  if (keyway.child.exitCode === null) keyway.child.kill('SIGTERM');
  await keyway.ended;
  await seqera.stop();
  await collector.stop();
  await cluster?.drop();
  await place.drop();
});

const issuer = 'https://issuer.example.com';
let tokenOf: (subject: string, more?: Record<string, unknown>) => Promise<string>;

type Input = Record<string, unknown>;

/** What a mutation answers, and how it names the fields that show secrets. */
const selections: Record<string, string> = {
  createCredential: 'credential { id } issued { accessKey secret keys { name value } }',
  rotateCredential: 'credential { id } issued { accessKey secret keys { name value } }',
  issueTemporaryCredential: 'credential { id } issued { accessKey secret }',
  revealCredential: 'issued { accessKey secret keys { name value } }',
  createAccount: 'account { id }',
  createStore: 'store { id }',
  enrolMfa: 'otpauthUri',
  confirmMfa: 'recoveryCodes',
  verifyCredential: 'valid code',
};

async function run(mutation: string, input: Input, token: string = server.adminToken): Promise<Answer> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${selections[mutation] ?? '__typename'} } }`;
  return server.ask(document, { input }, { token });
}

/** Does it, and returns what the field answers. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function done(mutation: string, input: Input, token?: string): Promise<any> {
  const answer = await run(mutation, input, token);
  if (answer.errors.length > 0)
    throw new Error(`${mutation}: ${answer.text} ${keyway.output().slice(-2_000)}`);
  return answer.data[mutation];
}

/** Is refused: its answer holds no secret, as no other does. */
async function refused(mutation: string, input: Input, token?: string): Promise<void> {
  const answer = await run(mutation, input, token);
  expect(answer.errors).not.toEqual([]);
  answers.push(answer.text);
}

/** Verifies what is presented, by each door. */
async function verify(input: Input): Promise<void> {
  answers.push((await run('verifyCredential', input)).text);
  const response = await fetch(`${server.url}/v1/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.adminToken}` },
    body: JSON.stringify(input),
  });
  answers.push(await response.text());
}

async function useEverything(): Promise<void> {
  const { id: account } = (
    await done('createAccount', {
      kind: 'PERSON',
      name: 'ada',
      title: 'Ada',
      identities: [{ issuer, subject: 'ada' }],
    })
  ).account;
  const base = { account, retrievable: true };

  // Of each kind: made, repeated, revealed, verified, rotated, and wrongly presented.
  const key = await done('createCredential', {
    ...base,
    name: 'key',
    secret: { accessKey: {} },
    idempotencyKey: 'key',
  });
  mark('an access key', key.issued.secret);
  await done('createCredential', { ...base, name: 'key', secret: { accessKey: {} }, idempotencyKey: 'key' });
  await done('revealCredential', { id: key.credential.id });
  const { accessKey } = key.issued;
  await verify({ accessKey, proof: { secret: key.issued.secret } });
  await verify({ accessKey, proof: { secret: fresh('a wrong secret') } });
  await verify({ accessKey: fresh(asName), proof: { secret: 'x' } });
  const rotated = await done('rotateCredential', {
    id: key.credential.id,
    gracePeriod: 'PT1H',
    idempotencyKey: 'rotate',
  });
  mark('a rotated access key', rotated.issued.secret);
  await done('rotateCredential', { id: key.credential.id, gracePeriod: 'PT1H', idempotencyKey: 'rotate' });
  const issued = await done('issueTemporaryCredential', {
    parent: key.credential.id,
    idempotencyKey: 'issue',
    retrievable: true,
  });
  mark('a temporary key', issued.issued.secret);
  await done('revealCredential', { id: issued.credential.id });

  const password = fresh('a password');
  const made = {
    ...base,
    name: 'password',
    secret: { password: { username: 'ada', password } },
    idempotencyKey: 'password',
  };
  const { credential: login } = await done('createCredential', made);
  await done('createCredential', made);
  await refused('createCredential', { ...made, name: 'other', idempotencyKey: 'other' });
  await refused('createCredential', {
    ...made,
    secret: { password: { username: 'ada', password: fresh('a password of another request') } },
  });
  for (const secret of [password, fresh('a wrong password')])
    await verify({ accessKey: 'ada', proof: { secret } });
  const next = { password: { username: 'ada', password: fresh('a password that was set') } };
  await done('rotateCredential', { id: login.id, secret: next });
  await refused('updateCredential', { id: login.id, secret: next });

  const aws = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: fresh('the keys of a provider') };
  const kept = await done('createCredential', {
    ...base,
    name: 'aws',
    secret: { providerKeys: { aws } },
    idempotencyKey: 'aws',
  });
  await done('revealCredential', { id: kept.credential.id });
  await done('rotateCredential', {
    id: kept.credential.id,
    secret: { providerKeys: { aws: { ...aws, secretKey: fresh('the next keys of a provider') } } },
    idempotencyKey: 'aws-2',
  });

  const pat = await done('createCredential', {
    account,
    name: 'token',
    secret: { token: {} },
    idempotencyKey: 'token',
  });
  const token = markToken('a token', pat.issued.secret);
  await server.ask('{ viewer { id } }', {}, { token });
  for (const wrong of [
    token.replace(/.{8}$/, 'AAAAAAAA'),
    fresh('what is no token'),
    `${token}${fresh('what stands behind a token')}`,
  ])
    answers.push((await server.ask('{ viewer { id } }', {}, { token: wrong })).text);
  await done('revokeCredential', { id: pat.credential.id, reason: 'tried' });
  answers.push((await server.ask('{ viewer { id } }', {}, { token })).text);

  // Tokens of an issuer.
  const jwts = [await tokenOf('ada'), await tokenOf('nobody'), await tokenOf('ada', { aud: 'elsewhere' })];
  for (const [index, jwt] of jwts.entries()) {
    mark(`the signature of a token of an issuer's (${index})`, jwt.split('.')[2] ?? '');
    answers.push((await server.ask('{ viewer { id } }', {}, { token: jwt })).text);
  }

  // Signed requests: as a caller, twice, and as one that is presented.
  for (const scheme of [SignatureScheme.HTTP_MESSAGE_SIGNATURES, SignatureScheme.NCP_SIGNATURE_V2]) {
    const pair = (
      await done('createCredential', {
        account,
        name: scheme.toLowerCase().replaceAll('_', '-'),
        secret: { accessKey: { scheme } },
      })
    ).issued;
    mark(`a key for ${scheme}`, pair.secret);
    const calling = schemes[scheme].sign(question(server, '{ viewer { id } }'), keyOf(pair), {
      ms: Date.now(),
    });
    const digests = calling.headers.flatMap(({ name, value }) =>
      /^(signature|x-ncp-apigw-signature-v2)$/i.test(name) ? [value] : [],
    );
    mark(`a signature in ${scheme}`, /[A-Za-z0-9+/]{43}=/.exec(digests.join())?.[0] ?? null);
    for (let times = 0; times < 2; times++) answers.push((await send(server, calling)).text);
    const presented = schemes[scheme].sign(
      {
        method: 'GET',
        url: 'https://api.example.com/a',
        headers: [{ name: 'Content-Type', value: 'text/plain' }],
      },
      keyOf(pair),
      { ms: Date.now() },
    );
    for (let times = 0; times < 2; times++)
      await verify({
        proof: {
          signedRequest: { scheme, method: presented.method, url: presented.url, headers: presented.headers },
        },
      });
  }

  // A second factor.
  const person = markToken(
    'the token of who has a second factor',
    (await done('createCredential', { account, name: 'for-mfa', secret: { token: {} } })).issued.secret,
  );
  const { otpauthUri } = await done('enrolMfa', {}, person);
  const app = URI.parse(otpauthUri as string) as TOTP;
  mark('a second factor', app.secret.base32);
  mark('the bytes of a second factor', app.secret.latin1);
  const { recoveryCodes } = await done('confirmMfa', { code: app.generate() }, person);
  for (const [index, code] of (recoveryCodes as string[]).entries())
    mark(`a recovery code (${index})`, code.replaceAll('-', ''));
  await refused('removeMfa', { code: fresh('a wrong code') }, person);
  await done('removeMfa', { code: recoveryCodes[0] as string }, person);

  // A store, with what Keyway proves itself with there.
  mark('the token of a store', seqera.token);
  const connection = { seqera: { endpoint: seqera.url, token: seqera.token } };
  const { id: store } = (
    await done('createStore', { account, name: 'seqera', connection, idempotencyKey: 'store' })
  ).store;
  await done('createStore', { account, name: 'seqera', connection, idempotencyKey: 'store' });
  const mistaken = { seqera: { endpoint: seqera.url, token: fresh('a wrong token of a store') } };
  await refused('createStore', { account, name: 'mistaken', connection: mistaken });
  await refused('updateStore', { id: store, connection: mistaken });
  await done('checkStore', { id: store });
  await done('syncStore', { id: store });

  // What cannot be meant, at every place that takes a text.
  for (const [mutation, input] of [
    [
      'createCredential',
      {
        ...base,
        name: fresh('a secret as a name\n'),
        secret: { password: { username: 'ada2', password: fresh('a short password').slice(0, 11) } },
      },
    ],
    [
      'createCredential',
      {
        ...base,
        name: 'odd',
        secret: { password: { username: fresh('a secret as a user name'), password: 12 } },
      },
    ],
    [
      'createCredential',
      { ...base, name: 'odd', secret: { token: {}, password: fresh('a secret in the wrong member') } },
    ],
    ['rotateCredential', { id: fresh('a secret as an id') }],
    ['revealCredential', { id: key.credential.id, mfaCode: `${fresh('a secret as a code')}\u0000` }],
    ['issueTemporaryCredential', { parent: key.credential.id, duration: fresh('a secret as a duration') }],
    ['updateCredential', { id: key.credential.id, expiresAt: fresh('a secret as an instant') }],
    ['updateCredential', { id: key.credential.id, [fresh('a secret as a member')]: true }],
    [
      'createStore',
      {
        account,
        name: 'odd',
        connection: { seqera: { endpoint: `https://u:${fresh('a secret in an address')}@h/`, token: 'x' } },
      },
    ],
  ] as const)
    await refused(mutation, input);
  answers.push((await server.ask(`{ viewer(secret: "${fresh('a secret in a document')}") { id } }`)).text);
  for (const document of [
    `{ ${fresh('a secret as a field')} }`,
    `{ viewer(${fresh('a secret as an argument')}: 1) { id } }`,
    `{ viewer { ...${fresh('a secret as a fragment')} } }`,
    `{ viewer { ... on ${fresh('a secret as a type')} { id } } }`,
    `{ viewer @${fresh('a secret as a directive')} { id } }`,
    `{ node(id: $${fresh('a secret as a variable')}) { id } }`,
    `query ($${fresh('a secret as a variable of no use')}: ID) { viewer { id } }`,
    `query ${fresh('a secret as an operation')} { viewer { id } } query Other { viewer { id } }`,
    `{ credential(id: ${fresh('a secret as a word')}) { id } }`,
    `{ credentials(filter: { ${fresh('a secret as a member of a literal')}: 1 }) { totalCount } }`,
  ])
    answers.push((await server.ask(document)).text);
  answers.push(
    (
      await server.ask(
        '{ viewer { id } }',
        {},
        {
          headers: {
            'x-api-key': fresh('a secret in a header'),
            'user-agent': fresh('a secret as a client'),
          },
        },
      )
    ).text,
  );
  const path = `${server.url}/${fresh('a secret as a path')}?token=${fresh('a secret in a query')}`;
  answers.push(await (await fetch(path)).text());
  answers.push(
    await (
      await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"query": ${fresh('a secret in a broken body')}`,
      })
    ).text(),
  );

  // All that is listed, and the ends.
  const listed = await server.ask(
    '{ credentials(first: 50) { nodes { id name description accessKey status versions { accessKey } } } auditEvents(first: 100) { nodes { action outcome code } } }',
  );
  answers.push(listed.text);
  await done('deleteCredential', { id: key.credential.id });
  answers.push(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
}

/** What a program of PostgreSQL prints of the database. */
const dump = (): Buffer =>
  cluster && programs !== undefined
    ? execFileSync(join(programs, 'pg_dump'), [cluster.url], { maxBuffer: 1 << 28 })
    : Buffer.alloc(0);

test('S42: no secret, no part of one and nothing that was presented is in a log, a metric, a trace, an error, a table, a file of the database, or the audit log, in any form', async () => {
  await useEverything();
  for (const key of ['kek', 'verifier', 'pepper', 'audit']) {
    const { keys } = JSON.parse(readFileSync(join(place.folder, 'keys', `${key}.json`), 'utf8')) as {
      keys: Record<string, string>;
    };
    mark(`the key in ${key}.json`, Buffer.from(keys['k1'] ?? '', 'base64').toString('latin1'));
    mark(`the text of the key in ${key}.json`, keys['k1'] ?? '');
  }
  expect(secrets.size).toBeGreaterThan(50);
  const traces = new Traces(secrets);

  const dumped = dump();
  if (cluster) expect(dumped.toString()).toContain('CREATE TABLE public.idempotency_keys');
  expect(traces.in(dumped)).toEqual([]);
  // Nothing is written after this: what is in memory is in files then.
  keyway.child.kill('SIGTERM');
  await keyway.ended;
  await cluster?.stop('fast');
  expect(keyway.output().split('\n').length).toBeGreaterThan(60);
  expect(traces.in(Buffer.from(keyway.output()))).toEqual([]);
  expect(traces.in(Buffer.from(answers.join('\n')))).toEqual([]);
  expect(collector.spans.length).toBeGreaterThan(100);
  expect(collector.metrics.length).toBeGreaterThan(0);
  expect(traces.in(Buffer.from([...collector.bodies, ...collector.metricBodies].join('\n')))).toEqual([]);
  // What is made to be read by its owner alone: the keys, and the first token.
  expect(traces.inFolder(place.folder, ['keys', 'admin-token'])).toEqual([]);
  expect(readFileSync(join(place.folder, 'streamed.jsonl'), 'utf8')).toContain('credential.reveal');
  if (!cluster) return;
  expect(traces.inFolder(cluster.folder)).toEqual([`${asName} in log`]);
  const log = readFileSync(join(cluster.folder, 'log'), 'utf8');
  // It does hold what statements were given.
  expect(log).toMatch(/[Pp]arameters: \$1 = '/);

  // And it would be found.
  await cluster.start();
  const [planted = '', other = ''] = [...secrets.values()];
  await onServer(
    cluster.url,
    `CREATE TABLE planted AS SELECT 'x${Buffer.from(planted).toString('base64')}' AS one`,
  );
  await onServer(
    cluster.url,
    `SELECT 1 AS "${encodeURIComponent(other.slice(0, Math.max(12, Math.floor(other.length / 2))))}"`,
  );
  expect(traces.in(dump())).toEqual(['the first token']);
  await cluster.stop('fast');
  const found = traces.inFolder(cluster.folder);
  expect(found).toContain('the first token in log');
  expect(found).toContain('an access key in log');
  expect(found.filter((one) => /^the first token in 0{7}1/.test(one))).not.toEqual([]);
});
