/**
 * @slow 55 s
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeId, newId } from '../../src/ids.js';
import { openLog } from '../../src/log.js';
import { openTracing } from '../../src/telemetry/tracing.js';
import { checkStore, makeStore, seqeraAt } from '../stores/stores.js';
import { expectData, makeAccount, makeCredential } from '../support/make.js';
import { untilSo } from '../support/scrape.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { startCollector, type ReceivedSpan, type TestCollector } from '../support/otlp-collector.js';
import { startSeqera } from '../upstreams/seqera.js';
import { postVerify, verify } from '../credentials/verification/verifying.js';

let collector: TestCollector;
beforeEach(async () => (collector = await startCollector()));
afterEach(() => collector.stop());

const tracing = (more: Record<string, string> = {}) =>
  startTestServer({
    KEYWAY_OUTBOUND_LOCAL: 'true',
    KEYWAY_OTEL_ENDPOINT: collector.url,
    KEYWAY_OTEL_SAMPLING: '1',
    ...more,
  });

const [internal, server, client] = [1, 2, 3];
const failed = 2;

/** The spans of the request that has asked last for a verb, once they have come. */
async function traceOf(verb: string): Promise<ReceivedSpan[]> {
  const requestOf = ({ parentSpanId, traceId }: ReceivedSpan) =>
    collector.spans.find((span) => span.spanId === parentSpanId && span.traceId === traceId);
  const found = await untilSo(
    async () => collector.spans.findLast((span) => span.name === verb && requestOf(span)),
    (span) => span !== undefined,
  );
  return collector.spans.filter(({ traceId }) => traceId === found?.traceId);
}

const root = (spans: readonly ReceivedSpan[]) => spans.find(({ parentSpanId }) => parentSpanId === undefined);

/** The names on the way from the request to a span. */
function pathTo(span: ReceivedSpan | undefined, spans: readonly ReceivedSpan[]): string[] {
  if (!span) return [];
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [...pathTo(parent, spans), span.name];
}

test('a request is a span, with one for each verb, statement and call to a store beneath it', async () => {
  const keyway = await tracing();
  const seqera = await startSeqera();
  try {
    const account = await makeAccount(keyway);
    const { accessKey, secret } = await makeCredential(keyway, account);
    const created = await traceOf('createCredential');
    expect(root(created)).toMatchObject({
      name: 'POST /graphql',
      kind: server,
      status: 0,
      attributes: { 'http.route': '/graphql', 'http.response.status_code': 200, 'keyway.kind': 'mutation' },
    });
    expect(created.find(({ name }) => name === 'createCredential')).toMatchObject({ kind: internal });
    const insert = created.find(({ name }) => name === 'WITH credentials');
    expect(insert).toMatchObject({ kind: client, attributes: { 'db.operation.name': 'WITH' } });
    expect(pathTo(insert, created)).toEqual(['POST /graphql', 'createCredential', 'WITH credentials']);
    // All of them hang together.
    for (const span of created) expect(pathTo(span, created)[0]).toBe('POST /graphql');

    expectData(await keyway.ask('{ credentials(first: 5) { nodes { id } } }'));
    const listed = await traceOf('credentials');
    expect(root(listed)).toMatchObject({ attributes: { 'keyway.kind': 'query' } });
    const asked = listed.filter(({ attributes }) => attributes['db.system.name'] === 'postgresql');
    // Who is calling, and what was asked for.
    expect(asked.length).toBeGreaterThanOrEqual(2);

    await verify(keyway, { accessKey, proof: { secret } });
    expect(root(await traceOf('verifyCredential'))).toMatchObject({ name: 'POST /graphql' });
    const before = collector.spans.length;
    expect((await postVerify(keyway, { accessKey, proof: { secret } })).body).toMatchObject({ valid: true });
    await untilSo(
      async () => collector.spans.slice(before),
      (spans) => spans.some(({ name }) => name === 'POST /v1/verify'),
    );
    const byRoute = await traceOf('verifyCredential');
    expect(root(byRoute)).toMatchObject({ name: 'POST /v1/verify' });
    // Those of the body that was read are beneath it too.
    expect(byRoute.length).toBeGreaterThan(2);

    const store = await makeStore(keyway, account, seqeraAt(seqera));
    seqera.meet({ kind: 'fail', status: 403 });
    expectData(await checkStore(keyway, { id: store }));
    const checked = await traceOf('checkStore');
    const call = checked.find(({ name }) => name === 'SEQERA GET');
    expect(call?.attributes).toEqual({
      'keyway.vendor': 'SEQERA',
      'http.request.method': 'GET',
      'http.response.status_code': 403,
    });
    expect(pathTo(call, checked).slice(0, 2)).toEqual(['POST /graphql', 'checkStore']);

    const nobody = encodeId('Credential', newId());
    const refused = await keyway.ask(
      `mutation { rotateCredential(input: { id: "${nobody}" }) { credential { id } } }`,
    );
    expect(refused.code).toBe('NOT_FOUND');
    const tried = await traceOf('rotateCredential');
    expect(tried.find(({ name }) => name === 'rotateCredential')).toMatchObject({
      status: failed,
      attributes: { 'error.type': 'NOT_FOUND' },
    });
    expect(root(tried)).toMatchObject({ attributes: { 'keyway.code': 'NOT_FOUND' } });

    const line = keyway.logged
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find(({ trace_id }) => trace_id === root(created)?.traceId);
    expect(line).toMatchObject({ msg: 'request', span_id: root(created)?.spanId });
  } finally {
    await keyway.stop();
    await seqera.stop();
  }
});

describe('a span is of the request that it was for', () => {
  /** All that came, by its trace. */
  function traces(): ReceivedSpan[][] {
    const found = new Map<string, ReceivedSpan[]>();
    for (const span of collector.spans) found.set(span.traceId, [...(found.get(span.traceId) ?? []), span]);
    return [...found.values()];
  }
  const listing = '{ credentials(first: 5) { nodes { id owner { name } versions { number } } } }';
  /** The clock of spans has milliseconds. */
  const slackMs = 3;

  test.each([
    ['one after the other', 1, '1'],
    ['one after the other, where not all are traced', 1, '0.5'],
    ['under steady load', 24, '1'],
    ['under steady load, where few are traced', 24, '0.2'],
  ])('%s', async (_, clients, sampling) => {
    const keyway = await tracing({ KEYWAY_OTEL_SAMPLING: sampling });
    try {
      await makeCredential(keyway, await makeAccount(keyway));
      const client = async () => {
        for (let times = 0; times < 20; times++) expectData(await keyway.ask(listing));
      };
      await Promise.all(Array.from({ length: clients }, client));
      await keyway.stop();
      const all = traces();
      expect(all.length).toBeGreaterThan(2);
      for (const spans of all) {
        const request = root(spans);
        // What was dropped, as too much waited to be sent, is not there to be compared.
        if (!request) continue;
        const late = spans.filter(({ fromMs }) => fromMs > request.untilMs + slackMs);
        expect(late.map(({ name, fromMs }) => `${name} ${fromMs - request.untilMs} ms after`)).toEqual([]);
        const listed = spans.filter(({ name }) => name === 'credentials');
        expect(listed.length).toBeLessThanOrEqual(1);
        // Each asks for as much, alone or with others.
        if (listed.length > 0) expect(spans.length).toBeLessThan(14);
      }
    } finally {
      await keyway.stop();
    }
  });

  test('and not of one that was answered before: what a store lists is read for nobody', async () => {
    const keyway = await tracing();
    const seqera = await startSeqera();
    try {
      const account = await makeAccount(keyway);
      const store = await makeStore(keyway, account, seqeraAt(seqera));
      const calls = seqera.calls.length;
      const sync =
        'mutation ($id: ID!) { syncStore(input: { id: $id }) { store { lastSync { finishedAt } } } }';
      expect(
        expectData(await keyway.ask(sync, { id: store })).syncStore.store.lastSync.finishedAt,
      ).not.toBeNull();
      expect(seqera.calls.length).toBeGreaterThan(calls);
      const spans = await traceOf('syncStore');
      const names = spans.map(({ name }) => name);
      expect(names).not.toContain('SEQERA GET');
      expect(names).toContain('INSERT syncs');
    } finally {
      await keyway.stop();
      await seqera.stop();
    }
  });
});

/** A text in each form in which it could have got out. */
const formsOf = (text: string) => [
  text,
  Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1),
  Buffer.from(text).toString('base64url').replace(/=+$/, '').slice(0, -1),
  Buffer.from(text).toString('hex'),
  encodeURIComponent(text),
];

test('S42, S63: nothing that a caller gave, and no secret, reaches the collector', async () => {
  const keyway = await tracing();
  const seqera = await startSeqera({ token: 'tok-MARKER-of-the-store' });
  try {
    const markers = ['MARKER-name', 'MARKER descr/ö+=', 'MARKERoperation', 'MARKER-header', 'MARKER secret'];
    const [name, description, operation, header] = markers;
    const headers = {
      'x-request-id': header ?? '',
      'user-agent': header ?? '',
      tracestate: 'a=MARKER-header',
    };
    const account = await makeAccount(keyway, { name });
    const text = `mutation ${operation} ($input: CreateCredentialInput!) { ${operation}: createCredential(input: $input) {
      credential { id } issued { accessKey secret } } }`;
    const input = { account, name, description, secret: { accessKey: {} } };
    const data = expectData(await keyway.ask(text, { input }, { headers }));
    const { credential, issued } = data[operation ?? ''];
    await keyway.ask(
      'mutation ($id: ID!) { rotateCredential(input: { id: $id }) { credential { id } issued { secret } } }',
      { id: credential.id },
      { headers },
    );
    await verify(keyway, { accessKey: issued.accessKey, proof: { secret: issued.secret } });
    await verify(keyway, { accessKey: issued.accessKey, proof: { secret: 'MARKER secret' } });
    await postVerify(keyway, { accessKey: 'MARKER-name', proof: { secret: 'MARKER secret' } });
    await keyway.ask(`{ credentials(filter: { search: "MARKER descr" }) { nodes { id name } } }`);
    await keyway.ask(`{ MARKERoperation }`);
    await keyway.ask(`mutation { deleteCredential(input: { id: "MARKER-name" }) { __typename } }`);
    await fetch(`${keyway.url}/MARKER-header?x=MARKER-header`, { method: 'PROPFIND', headers });
    const store = await makeStore(keyway, account, seqeraAt(seqera), { name: 'MARKER-store' });
    seqera.meet({ kind: 'fail', status: 500 }, {}, 3);
    expectData(await checkStore(keyway, { id: store }));
    await keyway.stop();
    const all = [...collector.bodies, ...collector.metricBodies].join('\n');
    expect(collector.spans.length).toBeGreaterThan(40);
    expect(all).toContain('keyway_verifications_total');
    const secrets = [issued.secret, issued.accessKey, keyway.adminToken, seqera.token, seqera.url];
    for (const secret of [...markers, ...secrets])
      for (const form of formsOf(String(secret))) expect(all).not.toContain(form);
    expect(all).not.toContain('MARKER');
  } finally {
    await seqera.stop();
  }
});

describe('the trace that a caller says a request belongs to', () => {
  const traceId = 'abcdef0123456789abcdef0123456789';
  const traceparent = `00-${traceId}-abcdef0123456789-01`;
  const first = () =>
    untilSo(
      async () => collector.spans.filter(({ name }) => name === 'GET /health'),
      (spans) => spans.length > 0,
    );

  test('is not believed of anybody', async () => {
    const keyway = await tracing();
    try {
      await fetch(`${keyway.url}/health`, { headers: { traceparent } });
      const [span] = await first();
      expect(span?.parentSpanId).toBeUndefined();
      expect(span?.traceId).not.toBe(traceId);
    } finally {
      await keyway.stop();
    }
  });

  test('is believed of a proxy that is trusted', async () => {
    const keyway = await tracing({ KEYWAY_TRUSTED_PROXIES: '127.0.0.1' });
    try {
      await fetch(`${keyway.url}/health`, { headers: { traceparent, tracestate: 'some=thing' } });
      expect(await first()).toMatchObject([{ traceId, parentSpanId: 'abcdef0123456789' }]);
      expect(collector.bodies.join('')).not.toContain('some=thing');
    } finally {
      await keyway.stop();
    }
  });

  test('has no request traced that would not be', async () => {
    const keyway = await tracing({ KEYWAY_TRUSTED_PROXIES: '127.0.0.1', KEYWAY_OTEL_SAMPLING: '0' });
    for (let times = 0; times < 20; times++)
      await fetch(`${keyway.url}/health`, { headers: { traceparent } });
    await keyway.stop();
    expect(collector.bodies).toEqual([]);
  });
});

test('headers of the collector are read from their file each time, and reach nobody else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyway-otel-'));
  const file = join(folder, 'headers');
  writeFileSync(file, 'authorization: Bearer first-token\nx-team: keys\n');
  const keyway = await tracing({ KEYWAY_OTEL_HEADERS_FILE: file });
  try {
    const sent = (authorization: string) =>
      collector.headers.some((one) => one.authorization === authorization);
    await fetch(`${keyway.url}/health`);
    expect(await untilSo(async () => sent('Bearer first-token'), Boolean)).toBe(true);
    expect(collector.headers[0]).toMatchObject({ 'x-team': 'keys', 'content-type': 'application/json' });
    writeFileSync(file, 'authorization: Bearer second-token\n');
    await fetch(`${keyway.url}/health`);
    expect(await untilSo(async () => sent('Bearer second-token'), Boolean)).toBe(true);
    expect(keyway.logged.join('')).not.toMatch(/(first|second)-token/);
  } finally {
    await keyway.stop();
    rmSync(folder, { recursive: true });
  }
});

describe('a collector that does not take what it is sent', () => {
  const told = ({ logged }: TestServer) => logged.filter((line) => line.includes('traces cannot be sent'));

  test.each(['hang', 500, 503, 400] as const)('%s: requests are answered all the same', async (answer) => {
    collector.answer = answer;
    const keyway = await tracing();
    for (let times = 0; times < 20; times++) expectData(await keyway.ask('{ viewer { id } }'));
    await untilSo(
      async () => collector.bodies.length,
      (count) => count > 0,
    );
    for (let times = 0; times < 20; times++) expectData(await keyway.ask('{ viewer { id } }'));
    await keyway.stop();
    expect(told(keyway).length).toBeLessThanOrEqual(1);
  });

  test('one that is not there is told of once', async () => {
    const keyway = await tracing({ KEYWAY_OTEL_ENDPOINT: 'http://127.0.0.1:1' });
    const waited = async () => {
      expectData(await keyway.ask('{ viewer { id } }'));
      return told(keyway);
    };
    expect(await untilSo(waited, (lines) => lines.length > 0)).toHaveLength(1);
    await keyway.stop();
    expect(told(keyway)).toHaveLength(1);
    expect(told(keyway)[0]).not.toContain('127.0.0.1');
  });

  test('what waits for one is bounded', async () => {
    collector.answer = 'hang';
    const url = `${collector.url}/v1/traces`;
    const traced = openTracing(
      { url, headersFile: undefined, sampling: 1 },
      { id: 'one', version: '0' },
      openLog('silent'),
    );
    const answered = { method: 'GET', route: '/', status: 200, seconds: 0 };
    for (let count = 0; count < 20_000; count++) traced.begin(undefined)?.end(answered);
    await untilSo(
      async () => collector.bodies.length,
      (count) => count > 0,
    );
    for (let count = 0; count < 20_000; count++) traced.begin(undefined)?.end(answered);
    collector.answer = undefined;
    await traced.stop();
    expect(collector.spans.length).toBeLessThanOrEqual(2 * 2_048);
  });
});

test('what waits is sent when Keyway stops', async () => {
  const keyway = await tracing();
  await fetch(`${keyway.url}/health`);
  await keyway.stop();
  expect(collector.spans.map(({ name }) => name)).toContain('GET /health');
});
