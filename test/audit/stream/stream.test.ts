import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { linkAll } from '../../../src/audit/chain.js';
import { openSink, type AuditSink } from '../../../src/audit/stream/sink.js';
import { AuditStream } from '../../../src/audit/stream/stream.js';
import type { StreamedEvent } from '../../../src/audit/stream/streamed-event.js';
import { Syslog } from '../../../src/audit/stream/syslog.js';
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

test('what is no file is refused before anything is written to it', async () => {
  const folder = join(server.dataDir, newId());
  mkdirSync(folder);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await add(newId());
  const lines: string[] = [];
  const log = openLog('info', { write: (line) => void lines.push(line) });
  const pipe = new AuditStream(server.db, openSink({ kind: 'file', path: join(folder, 'pipe') }), log);
  await pipe.tick();
  await pipe.close();
  expect(lines.join('')).toContain('it is no file, but a pipe or a device');
  for (const path of ['/dev/null', join(folder, 'pipe')])
    await expect(openSink({ kind: 'file', path }).send([])).rejects.toThrow('no file');
  expect(await server.rows('SELECT 1 FROM audit_streamed')).toEqual([]);
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

/** A syslog server by TCP, and the numbers of the events that it has read over all its connections. */
async function startSyslog(port = 0) {
  const sockets = new Set<Socket>();
  const read: Buffer[] = [];
  const tcp = createServer((socket) => {
    const at = read.push(Buffer.alloc(0)) - 1;
    sockets.add(socket);
    socket.on('data', (part) => (read[at] = Buffer.concat([read[at] ?? Buffer.alloc(0), part])));
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => tcp.listen(port, '127.0.0.1', resolve));
  return {
    at: {
      kind: 'syslog' as const,
      transport: 'tcp' as const,
      host: '127.0.0.1',
      port: (tcp.address() as AddressInfo).port,
    },
    sockets,
    numbers: () => read.flatMap(messagesIn).map((message) => Number(numberOf(syslogLine.exec(message)?.[2]))),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      tcp.close();
    },
  };
}

/** Messages with their lengths before them (RFC 6587, section 3.4.1), as far as they are whole. */
function messagesIn(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const end = space + 1 + Number(bytes.toString('ascii', at, space));
    if (space < 0 || end > bytes.length) break;
    found.push(bytes.toString('utf8', space + 1, end));
    at = end;
  }
  return found;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('syslog by TCP has messages with their lengths before them, and those that a lost connection had on its way again', async () => {
  const [account, syslog] = [newId(), await startSyslog()];
  const sink = openSink(syslog.at);
  let ms = 0;
  const stream = new AuditStream(server.db, sink, quiet, () => (ms += 600_000));
  try {
    await add(account, 3);
    await stream.tick();
    await until(() => syslog.numbers().length === 3);
    expect(syslog.numbers()).toEqual([1, 2, 3]);
    // What comes from now on is taken by the system, and read by nobody.
    for (const socket of syslog.sockets) socket.pause();
    await add(account, 2);
    await stream.tick();
    expect(stream.lag).toEqual({ events: 0, seconds: 0 });
    for (const socket of syslog.sockets) socket.resetAndDestroy();
    await until(() => sink.owes === true);
    // Without an event that is new.
    await stream.tick();
    await until(() => syslog.numbers().includes(5));
    await add(account);
    await stream.tick();
    await until(() => syslog.numbers().includes(6));
    // In their order: again from the first that may be lost.
    expect(syslog.numbers()).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6]);
    expect(sink.owes).toBe(false);
  } finally {
    syslog.stop();
  }
  await stream.close();
  await expect(openSink(syslog.at).send([])).rejects.toThrow('ECONNREFUSED');
});

test('what syslog has had for long is not sent again, and no event for ever', async () => {
  const syslog = await startSyslog();
  let ms = 0;
  const sink = new Syslog(syslog.at, () => ms);
  const kept = new Kept();
  await add(newId());
  await streamTo(kept);
  const lose = async (how: 'end' | 'resetAndDestroy', afterMs: number) => {
    const before = syslog.numbers().length;
    await sink.send(sink.owes ? [] : kept.got);
    await until(() => syslog.numbers().length === before + 1);
    ms += afterMs;
    const ends = [...syslog.sockets].map((socket) => once(socket, 'close'));
    for (const socket of syslog.sockets) socket[how]();
    await Promise.all(ends);
    // The other end hears of it a little later.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    return sink.owes;
  };
  try {
    expect(await lose('resetAndDestroy', 60_000)).toBe(false);
    expect(await lose('end', 5_000)).toBe(false);
    expect(await lose('end', 4_999)).toBe(true);
    expect(await lose('resetAndDestroy', 59_999)).toBe(true);
    expect(await lose('end', 0)).toBe(true);
    expect(await lose('end', 0)).toBe(true);
    expect(await lose('end', 0)).toBe(false);
  } finally {
    await sink.close();
    syslog.stop();
  }
});

test('a connection that is not open yet keeps no stop waiting', async () => {
  const syslog = await startSyslog();
  // By TLS it waits for a hello that never comes.
  const sink = openSink({ ...syslog.at, transport: 'tls' });
  try {
    const sent = expect(sink.send([])).rejects.toThrow('the connection was closed');
    await until(() => syslog.sockets.size === 1);
    await sink.close();
    await sent;
  } finally {
    syslog.stop();
  }
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
