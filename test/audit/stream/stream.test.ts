import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { linkAll } from '../../../src/audit/chain.js';
import { openSink, type AuditSink } from '../../../src/audit/stream/sink.js';
import { AuditStream } from '../../../src/audit/stream/stream.js';
import type { StreamedEvent } from '../../../src/audit/stream/streamed-event.js';
import { encodeId, newId } from '../../../src/ids.js';
import { loadKeyFiles } from '../../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../../src/keyring/keyring.js';
import { openLog } from '../../../src/log.js';
import { readyPlace, spawnKeyway, urlOf } from '../../support/process.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { byHand, quiet, withoutChains } from '../chains.js';

let server: TestServer;
let keyring: Keyring;
beforeAll(async () => {
  server = await startTestServer();
  keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
});
beforeEach(async () => {
  await withoutChains(server);
  await server.rows('DELETE FROM audit_streamed');
  await server.rows('DELETE FROM audit_stream_lease');
});
afterAll(() => server.stop());

const add = (account: string, count = 1) =>
  server.db.transaction((tx) =>
    linkAll(
      tx,
      keyring,
      Array.from({ length: count }, () => byHand(account)),
    ),
  );

/** A sink that keeps what it gets, and refuses while it is told to. */
class Kept implements AuditSink {
  readonly name = 'kept';
  readonly got: StreamedEvent[] = [];
  refuses = false;
  send(events: readonly StreamedEvent[]): Promise<void> {
    if (this.refuses) return Promise.reject(new Error('not now'));
    this.got.push(...events);
    return Promise.resolve();
  }
  close = () => Promise.resolve();
  of = (account: string) =>
    this.got.filter((one) => one.accountId === account).map(({ number }) => Number(number));
}

/** The number of an event in its chain, by the text of it. */
const numberOf = (text = '{"id":""}') => (JSON.parse(text) as { id: string }).id.split('-')[0];

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test('each event is handed over once, those of a chain in their order, however many there are', async () => {
  const [sink, busy, quietOne] = [new Kept(), newId(), newId()];
  const stream = new AuditStream(server.db, sink, quiet);
  await add(busy, 1_234);
  await add(quietOne, 2);
  await stream.tick();
  expect(sink.of(busy)).toEqual(upTo(1_234));
  expect(sink.of(quietOne)).toEqual([1, 2]);
  expect(stream.lag).toEqual({ events: 0, seconds: 0 });
  await stream.tick();
  await add(quietOne);
  await stream.tick();
  expect(sink.of(quietOne)).toEqual([1, 2, 3]);
  expect(sink.got).toHaveLength(1_237);
  await stream.close();
});

test('what a sink refuses comes again, later and later, and is told once', async () => {
  const [sink, account, lines] = [new Kept(), newId(), [] as string[]];
  let ms = 0;
  const log = openLog('info', { write: (line) => void lines.push(line) });
  const stream = new AuditStream(server.db, sink, log, () => ms);
  await add(account, 3);
  sink.refuses = true;
  for (let second = 0; second < 100; second++) {
    ms += 1_000;
    await stream.tick();
  }
  expect(sink.got).toEqual([]);
  expect(lines).toHaveLength(1);
  expect(stream.lag).toMatchObject({ events: 3 });
  sink.refuses = false;
  await stream.tick();
  expect(sink.got).toEqual([]);
  ms += 60_000;
  await stream.tick();
  expect(sink.of(account)).toEqual([1, 2, 3]);
  expect(lines.at(-1)).toContain('is streamed again');
  await stream.close();
});

test('one Keyway streams at a time, and another goes on where it has stopped', async () => {
  const [first, second, account] = [new Kept(), new Kept(), newId()];
  const [one, other] = [first, second].map((sink) => new AuditStream(server.db, sink, quiet));
  if (!one || !other) throw new Error('there are two');
  await add(account, 2);
  await one.tick();
  await add(account);
  await other.tick();
  expect(second.got).toEqual([]);
  expect(other.lag).toBeUndefined();
  await one.close();
  await other.tick();
  expect([first.of(account), second.of(account)]).toEqual([[1, 2], [3]]);
  // One that is gone without a word is waited for as long as it may have gone on.
  await add(account);
  const third = new AuditStream(server.db, first, quiet);
  await third.tick();
  expect(first.of(account)).toEqual([1, 2]);
  await server.rows(`UPDATE audit_stream_lease SET until_at = now() - interval '1 second'`);
  await third.tick();
  expect(first.of(account)).toEqual([1, 2, 4]);
  await third.close();
});

test('one that has lost its turn while it was sending moves nothing', async () => {
  const [sink, account] = [new Kept(), newId()];
  const stream = new AuditStream(server.db, sink, quiet);
  await add(account, 2);
  const send = sink.send.bind(sink);
  sink.send = async (events) => {
    await send(events);
    await server.rows('UPDATE audit_stream_lease SET owner = gen_random_uuid()');
  };
  await stream.tick();
  expect(sink.got).toHaveLength(2);
  expect(await server.rows('SELECT * FROM audit_streamed')).toEqual([]);
});

/** Streams what is there to this sink. */
async function streamTo(sink: AuditSink): Promise<void> {
  const stream = new AuditStream(server.db, sink, quiet);
  await stream.tick();
  await stream.close();
}

test('an event has the form of CloudEvents', async () => {
  const [sink, account] = [new Kept(), newId()];
  await add(account);
  await streamTo(sink);
  const [event] = sink.got;
  const [row] = await server.rows<{ target: string; hash: string; actor: string }>(
    `SELECT target_id AS target, encode(hash, 'hex') AS hash, actor_id AS actor FROM audit_events`,
  );
  const id = encodeId('Account', account);
  const target = encodeId('Account', row?.target ?? '');
  expect(JSON.parse(event?.text ?? '')).toEqual({
    specversion: '1.0',
    id: `1-${row?.hash.slice(0, 16)}`,
    source: `/accounts/${id}`,
    type: 'keyway.account.update',
    subject: target,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/),
    datacontenttype: 'application/json',
    data: {
      action: 'account:update',
      outcome: 'DONE',
      code: null,
      account: id,
      number: 1,
      actor: encodeId('Account', row?.actor ?? ''),
      actorCredential: null,
      target: { type: 'Account', id: target },
      project: null,
      recipient: null,
      changed: [],
      times: 1,
      ip: null,
      requestId: 'by hand',
      hash: row?.hash,
    },
  });
});

test('a file has a line for each, also behind one that a crash has cut off', async () => {
  const [path, account] = [join(server.dataDir, newId(), 'audit.jsonl'), newId()];
  await add(account, 2);
  await streamTo(openSink({ kind: 'file', path }));
  writeFileSync(path, readFileSync(path, 'utf8') + '{"cut');
  await add(account);
  await streamTo(openSink({ kind: 'file', path }));
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => (line === '{"cut' ? 'cut' : numberOf(line)))).toEqual(['1', '2', 'cut', '3']);
});

async function listen(http: HttpServer): Promise<string> {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/in?x=1`;
}

test('a collector gets batches with the token of now, and again what it has not taken', async () => {
  const [account, tokenFile] = [newId(), join(server.dataDir, newId())];
  const got: { type?: string; token?: string; url?: string; ids: string[] }[] = [];
  let status = 503;
  const http = createHttp((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const { 'content-type': type = '', authorization: token = '' } = request.headers;
      const ids = (JSON.parse(body) as { id: string }[]).map(({ id }) => id.split('-')[0] ?? '');
      got.push({ type, token, url: request.url ?? '', ids });
      response.writeHead(status, { location: '/elsewhere' }).end('hunter2');
    });
  });
  const sink = openSink({ kind: 'collector', url: await listen(http), tokenFile });
  try {
    await add(account, 2);
    const lines: string[] = [];
    let ms = 0;
    const log = openLog('info', { write: (line) => void lines.push(line) });
    const stream = new AuditStream(server.db, sink, log, () => (ms += 600_000));
    writeFileSync(tokenFile, 'token-one\n');
    for (status of [503, 302, 202]) await stream.tick();
    writeFileSync(tokenFile, 'token-two\n');
    await add(account);
    await stream.tick();
    await stream.close();
    expect(got.map(({ ids }) => ids)).toEqual([['1', '2'], ['1', '2'], ['1', '2'], ['3']]);
    expect(got.map(({ token }) => token)).toEqual([
      'Bearer token-one',
      'Bearer token-one',
      'Bearer token-one',
      'Bearer token-two',
    ]);
    expect(got[0]).toMatchObject({
      type: 'application/cloudevents-batch+json; charset=utf-8',
      url: '/in?x=1',
    });
    expect(lines.join('')).toContain('the collector answers with 503');
    expect(lines.join('')).not.toMatch(/hunter2|token-|x=1/);
  } finally {
    http.close();
    http.closeAllConnections();
  }
});

test.each([
  ['Latin-1', Buffer.from('tok\xe4n', 'latin1')],
  ['a letter beyond ASCII', Buffer.from('tokän')],
  ['two words', Buffer.from('one two')],
  ['nothing', Buffer.from('\n')],
])('a collector is sent no token that its file does not have: %s', async (_, bytes) => {
  let got = 0;
  const http = createHttp((_request, response) => {
    got++;
    response.end();
  });
  const tokenFile = join(server.dataDir, newId());
  writeFileSync(tokenFile, bytes);
  const sink = openSink({ kind: 'collector', url: await listen(http), tokenFile });
  try {
    await expect(sink.send([])).rejects.toThrow('KEYWAY_AUDIT_STREAM_TOKEN_FILE holds no token');
    expect(got).toBe(0);
  } finally {
    http.close();
    http.closeAllConnections();
  }
});

const syslogLine =
  /^<10[789]>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z \S+ keyway \d+ account:update - (\{.*\})$/;

test('syslog by TCP has messages with their lengths before them, over a new connection where one is lost', async () => {
  const account = newId();
  let bytes = Buffer.alloc(0);
  const sockets = new Set<{ destroy(): void }>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (part) => (bytes = Buffer.concat([bytes, part])));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  const sink = openSink({ kind: 'syslog', transport: 'tcp', host: '127.0.0.1', port });
  try {
    let ms = 0;
    const stream = new AuditStream(server.db, sink, quiet, () => (ms += 600_000));
    await add(account, 3);
    await stream.tick();
    const messages = () => {
      const found: string[] = [];
      for (let at = 0; at < bytes.length;) {
        const space = bytes.indexOf(0x20, at);
        const length = Number(bytes.toString('ascii', at, space));
        found.push(bytes.toString('utf8', space + 1, space + 1 + length));
        at = space + 1 + length;
      }
      return found;
    };
    while (messages().length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const [at, message] of messages().entries())
      expect(numberOf(syslogLine.exec(message)?.[2])).toBe(`${at + 1}`);
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    bytes = Buffer.alloc(0);
    // What is on its way until it hears of the end is lost; then it connects anew.
    while (messages().length < 1) {
      await add(account);
      await stream.tick();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(Number(numberOf(syslogLine.exec(messages()[0] ?? '')?.[2]))).toBeGreaterThan(3);
    await stream.close();
  } finally {
    for (const socket of sockets) socket.destroy();
    tcp.close();
  }
  await add(account);
  await expect(
    openSink({ kind: 'syslog', transport: 'tcp', host: '127.0.0.1', port }).send([]),
  ).rejects.toThrow('ECONNREFUSED');
});

test('syslog by UDP has a datagram for each', async () => {
  const account = newId();
  const udp = createSocket('udp4');
  const got: string[] = [];
  udp.on('message', (message) => void got.push(message.toString()));
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  try {
    await add(account, 2);
    await streamTo(
      openSink({ kind: 'syslog', transport: 'udp', host: '127.0.0.1', port: udp.address().port }),
    );
    while (got.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(got.map((message) => numberOf(syslogLine.exec(message)?.[2]))).toEqual(['1', '2']);
  } finally {
    udp.close();
  }
});

test('standard output has a whole line for each, among those of the log', async () => {
  const place = await readyPlace();
  const spawned = spawnKeyway(['serve'], { ...place.environment, KEYWAY_AUDIT_STREAM: 'stdout' });
  try {
    await urlOf(spawned);
    const streamed = () =>
      spawned
        .output()
        .split('\n')
        .slice(0, -1)
        // Beside the log there are lines for people while it starts.
        .filter((line) => line.includes('specversion'))
        .map((line) => JSON.parse(line) as { id: string; source: string });
    while (streamed().length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(streamed()[0]).toMatchObject({
      id: expect.stringMatching(/^1-/),
      source: expect.stringMatching(/^\/accounts\//),
    });
  } finally {
    spawned.child.kill('SIGTERM');
    await spawned.ended;
    await place.drop();
  }
});
