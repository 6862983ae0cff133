import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import {
  createServer as createHttp,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeywayError } from '../../src/errors.js';
import {
  openOutbound,
  type Outbound,
  type OutboundOptions,
  NotConnected,
} from '../../src/outbound/outbound.js';
import { selfSigned } from '../support/certificate.js';

const open: (Server | TcpServer)[] = [];
const outbounds: Outbound[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  await Promise.all(outbounds.splice(0).map((one) => one.close()));
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) {
    await new Promise((resolve) => server.close(resolve));
  }
});

const listening = async <One extends Server | TcpServer>(server: One, host = '127.0.0.1', port = 0) => {
  open.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
};

/** A server on loopback that tells what it was asked. */
async function serve(listener: RequestListener, host?: string, port?: number) {
  const asked: IncomingMessage[] = [];
  const at = await listening(
    createHttp((request, response) => {
      asked.push(request);
      listener(request, response);
    }),
    host,
    port,
  );
  return { asked, port: at, url: new URL(`http://127.0.0.1:${at}/keys?mark=1`) };
}

/** What counts the connections that it is offered, and answers none. */
async function trap() {
  let connections = 0;
  const port = await listening(
    createTcp((socket) => {
      connections++;
      socket.destroy();
    }),
  );
  return { port, connections: () => connections };
}

const outbound = (options: Partial<OutboundOptions> = {}): Outbound => {
  const one = openOutbound({ allowedRanges: [], local: false, ...options });
  outbounds.push(one);
  return one;
};
const local = (options: Partial<OutboundOptions> = {}) => outbound({ local: true, ...options });
const usual = { timeoutMs: 3_000, mostBytes: 1024 };

/** Why a call failed; everything that fails is UNAVAILABLE. */
async function whyNot(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as KeywayError,
  );
  expect(error).toMatchObject({ name: 'KeywayError', code: 'UNAVAILABLE' });
  const cause = error?.cause;
  return cause instanceof NotConnected ? cause.cause : cause;
}

const notThere = 'the address is not one that calls may go to';

test('an answer comes back as it is, whatever its status', async () => {
  const { url, asked } = await serve((_, response) =>
    response.writeHead(404, { 'x-told': 'a' }).end('{"keys":[]}'),
  );
  const answer = await local().get(url, { ...usual, headers: { accept: 'application/json' } });
  expect([answer.status, answer.headers['x-told'], answer.body.toString()]).toEqual([
    404,
    'a',
    '{"keys":[]}',
  ]);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ method: 'GET', url: '/keys?mark=1' });
  expect(asked[0]?.headers).toMatchObject({ accept: 'application/json', host: url.host });
});

test('a call sends its method, its headers and its body, once', async () => {
  const bodies: string[] = [];
  const { url, asked } = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.end('done');
    });
  });
  const headers = { 'content-type': 'text/plain' };
  const answer = await local().call('POST', url, { ...usual, headers, body: 'sent' });
  expect([answer.body.toString(), bodies]).toEqual(['done', ['sent']]);
  expect(asked[0]?.headers).toMatchObject({ 'content-type': 'text/plain', 'content-length': '4' });
});

describe('S56: the scheme', () => {
  test('http is refused, and not spoken', async () => {
    const { url, asked } = await serve((_, response) => response.end('{}'));
    expect(await whyNot(outbound({ allowedRanges: ['127.0.0.1'] }).get(url, usual))).toBe(
      'only https addresses are called',
    );
    expect(asked).toEqual([]);
  });

  test.each(['file:///etc/passwd', 'ftp://example.com/', 'data:,x', 'ws://127.0.0.1/'])(
    '%s is refused, with the setting for trials too',
    async (address) => {
      expect(await whyNot(local().get(new URL(address), usual))).toBe('only https addresses are called');
    },
  );

  test('an address with a user in it is refused', async () => {
    expect(await whyNot(outbound().get(new URL('https://me:secret@example.com/'), usual))).toBe(
      'the address names a user',
    );
  });

  test('a certificate that nobody vouches for is refused', async () => {
    let asked = 0;
    const server = createHttps(selfSigned('localhost'), (_, response) => {
      asked++;
      response.end('{}');
    });
    const url = new URL(`https://localhost:${await listening(server)}/`);
    const allowed = outbound({ allowedRanges: ['127.0.0.0/8', '::1'] });
    expect(await whyNot(allowed.get(url, usual))).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(asked).toBe(0);
  });
});

describe('S56: addresses that are not public', () => {
  const addresses = [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1'],
    ...['169.254.169.254', '169.254.0.1', '168.63.129.16', '192.0.0.192', '192.0.2.1', '198.18.0.1'],
    ...['224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', 'fe80::1'],
    ...['fc00::1', 'fd00:ec2::254', 'fec0::1', 'ff02::1', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '100::1'],
    ...['2002:7f00:1::', '2001::1', '2001:db8::1'],
  ];

  test.each(addresses)('%s is refused, given as it is', async (address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    expect(await whyNot(outbound().get(new URL(`https://${host}/`), usual))).toBe(notThere);
  });

  test.each(addresses)('%s is refused as what a name resolves to, alone or among others', async (address) => {
    const bad = { address, family: address.includes(':') ? 6 : 4 };
    const good = { address: '8.8.8.8', family: 4 };
    for (const resolved of [[bad], [good, bad], [bad, good]]) {
      const one = outbound({ resolve: async () => resolved });
      expect(await whyNot(one.get(new URL('https://keys.example.com/'), usual))).toBe(notThere);
    }
  });

  test.each(['https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/', 'https://127.1/'])(
    '%s is loopback in another spelling, and refused',
    async (address) => {
      expect(await whyNot(outbound().get(new URL(address), usual))).toBe(notThere);
    },
  );

  test('loopback is not connected to, by its address nor by a name of it', async () => {
    const { port, connections } = await trap();
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]'])
      expect(await whyNot(outbound().get(new URL(`https://${host}:${port}/`), usual))).toBe(notThere);
    await sleep(50);
    expect(connections()).toBe(0);
  });

  test('the setting for trials opens loopback, and no private range', async () => {
    const { url } = await serve((_, response) => response.end('here'));
    expect((await local().get(url, usual)).body.toString()).toBe('here');
    const named = new URL(url);
    named.hostname = 'localhost';
    expect((await local().get(named, usual)).body.toString()).toBe('here');
    for (const address of ['10.1.2.3', '192.168.1.1', '169.254.169.254', '0.0.0.0', '[fd00::1]'])
      expect(await whyNot(local().get(new URL(`http://${address}/`), usual))).toBe(notThere);
  });

  test.each([
    ['127.0.0.0/8', true],
    ['127.0.0.1', true],
    ['127.0.0.2', false],
    ['10.0.0.0/8', false],
    ['::1', false],
    ['::/0', false],
    ['::ffff:0:0/96', false],
  ])('a range that is allowed opens itself and no more: %s', async (range, opened) => {
    const { port, connections } = await trap();
    const why = await whyNot(
      outbound({ allowedRanges: [range] }).get(new URL(`https://127.0.0.1:${port}/`), usual),
    );
    if (opened) expect(why).toMatchObject({ code: 'ECONNRESET' });
    else expect(why).toBe(notThere);
    expect(connections()).toBe(opened ? 1 : 0);
  });

  test('a name that resolves to nothing, to what is no address, or not at all, is refused', async () => {
    const url = new URL('https://keys.example.com/');
    for (const resolved of [[], [{ address: 'keys.example.com', family: 4 }], [{ address: '', family: 4 }]])
      expect(await whyNot(outbound({ resolve: async () => resolved }).get(url, usual))).toBe(notThere);
    const failing = outbound({ resolve: () => Promise.reject(new Error('no such name')) });
    expect(await whyNot(failing.get(url, usual))).toMatchObject({ message: 'no such name' });
  });
});

test('S56: the connection goes to the address that was checked: another answer later changes nothing', async () => {
  const first = await serve((_, response) => response.end('checked'), '127.0.0.1');
  const second = await serve((_, response) => response.end('swapped'), '127.0.0.2', first.port);
  const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
  let resolved = 0;
  const pinned = outbound({
    local: true,
    resolve: async () => [{ address: answers[resolved++] ?? 'none', family: 4 }],
  });
  const url = new URL(`http://keys.example.com:${first.port}/`);
  expect((await pinned.get(url, usual)).body.toString()).toBe('checked');
  expect([resolved, second.asked.length]).toEqual([1, 0]);
  expect(first.asked[0]?.headers.host).toBe(url.host);
  // The next call asks anew, and is checked anew.
  expect((await pinned.get(url, usual)).body.toString()).toBe('swapped');
  expect(resolved).toBe(2);
  const strict = outbound({
    allowedRanges: ['127.0.0.1'],
    resolve: async () => [{ address: '127.0.0.2', family: 4 }],
  });
  expect(await whyNot(strict.get(new URL(`https://keys.example.com:${first.port}/`), usual))).toBe(notThere);
});

test('of several addresses that are fine, the next is tried where one does not answer', async () => {
  const { port } = await serve((_, response) => response.end('here'));
  const resolve = async () => [
    { address: '::1', family: 6 },
    { address: '127.0.0.1', family: 4 },
  ];
  const answer = await local({ resolve }).get(new URL(`http://keys.example.com:${port}/`), usual);
  expect(answer.body.toString()).toBe('here');
});

test.each([301, 302, 303, 307, 308])('S56: a redirect is an answer and not followed: %i', async (status) => {
  const other = await serve((_, response) => response.end('followed'));
  const { url } = await serve((_, response) =>
    response.writeHead(status, { location: other.url.href }).end('moved'),
  );
  const answer = await local().get(url, usual);
  expect([answer.status, answer.body.toString()]).toEqual([status, 'moved']);
  expect(other.asked).toEqual([]);
});

test('S56: no proxy of the environment is asked', async () => {
  const proxy = await serve((_, response) => response.end('proxied'));
  const { url } = await serve((_, response) => response.end('direct'));
  const names = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = proxy.url.origin;
  try {
    expect((await local().get(url, usual)).body.toString()).toBe('direct');
  } finally {
    names.forEach((name, index) => {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    });
  }
  expect(proxy.asked).toEqual([]);
});

describe('S56: the size of an answer', () => {
  test.each([
    ['with its length told', true],
    ['without', false],
  ])('is taken up to the limit and not beyond, %s', async (_, told) => {
    for (const size of [1024, 1025]) {
      const { url } = await serve((_, response) => {
        if (told) response.setHeader('content-length', size);
        response.end('x'.repeat(size));
      });
      const call = local().get(url, { ...usual, mostBytes: 1024 });
      if (size > 1024) expect(await whyNot(call)).toBe('the answer is too large');
      else expect((await call).body).toHaveLength(size);
    }
  });

  test('what has no end is not read any further, and the connection is closed', async () => {
    let sent = 0;
    let closed = false;
    const { url } = await serve((_, response) => {
      const pour = () => {
        while (!closed && response.write(Buffer.alloc(16 * 1024))) sent += 16 * 1024;
      };
      response.on('drain', pour).on('close', () => (closed = true));
      pour();
    });
    expect(await whyNot(local().get(url, { ...usual, mostBytes: 64 * 1024 }))).toBe(
      'the answer is too large',
    );
    for (let waited = 0; waited < 2_000 && !closed; waited += 20) await sleep(20);
    expect(closed).toBe(true);
    // More than the limit lies in the buffers of both ends, and no more than that.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('headers without end are refused', async () => {
    const { url } = await serve((_, response) => {
      response.setHeader('x-long', 'x'.repeat(64 * 1024));
      response.end();
    });
    expect(await whyNot(local().get(url, usual))).toMatchObject({ code: 'UND_ERR_HEADERS_OVERFLOW' });
  });
});

describe('R19, S56: the time that a call takes', () => {
  const timed = async (call: () => Promise<unknown>) => {
    const from = performance.now();
    await whyNot(call());
    return performance.now() - from;
  };

  test.each<[string, RequestListener]>([
    ['nothing is answered', () => undefined],
    ['the headers come alone', (_, response) => void response.writeHead(200).write('{')],
    [
      'the body comes byte by byte',
      (_, response) => {
        const drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(drip));
      },
    ],
  ])('is bounded where %s', async (_, listener) => {
    const { url } = await serve(listener);
    const tookMs = await timed(() => local().get(url, { ...usual, timeoutMs: 400 }));
    expect(tookMs).toBeGreaterThan(300);
    expect(tookMs).toBeLessThan(1_500);
  });

  test('is at most a second until it is connected, where the other end says nothing', async () => {
    const silent = await listening(createTcp(() => undefined));
    const allowed = outbound({ allowedRanges: ['127.0.0.1'] });
    const tookMs = await timed(() =>
      allowed.get(new URL(`https://127.0.0.1:${silent}/`), { ...usual, timeoutMs: 5_000 }),
    );
    expect(tookMs).toBeGreaterThan(900);
    expect(tookMs).toBeLessThan(1_500);
  });

  test('is at most a second until a name is resolved, and shorter where the whole is to be', async () => {
    const slow = outbound({ resolve: () => new Promise(() => undefined) });
    const url = new URL('https://keys.example.com/');
    expect(await timed(() => slow.get(url, { ...usual, timeoutMs: 5_000 }))).toBeLessThan(1_500);
    expect(await timed(() => slow.get(url, { ...usual, timeoutMs: 200 }))).toBeLessThan(900);
  });
});

describe('R20: a name that is looked up', () => {
  test('needs none of the threads of the runtime, which others may have taken all', async () => {
    const { port, asked } = await serve((_, response) => response.end('{}'));
    const folder = mkdtempSync(join(tmpdir(), 'keyway-threads-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    // Each takes a thread until somebody writes to the pipe.
    const count = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
    const taken = Array.from({ length: count }, () => openFile(pipe, 'r'));
    try {
      const answer = await local().get(new URL(`http://localhost:${port}/`), usual);
      expect(answer.status).toBe(200);
      expect(asked).toHaveLength(1);
    } finally {
      const writer = openSync(pipe, constants.O_RDWR);
      for (const file of await Promise.all(taken)) await file.close();
      closeSync(writer);
      rmSync(folder, { recursive: true });
    }
  });

  test('is given up with the connection that it is for', async () => {
    let given: AbortSignal | undefined;
    const slow = outbound({
      resolve: (_, signal) => {
        given = signal;
        return new Promise(() => undefined);
      },
    });
    await whyNot(slow.get(new URL('https://keys.example.com/'), { ...usual, timeoutMs: 200 }));
    while (!given?.aborted) await sleep(20);
  });
});

test('nothing is sent twice, also where the connection breaks', async () => {
  const { url, asked } = await serve((request) => void request.socket.destroy());
  expect(await whyNot(local().get(url, usual))).toBeInstanceOf(Error);
  await sleep(100);
  expect(asked).toHaveLength(1);
});

test('nobody there is UNAVAILABLE, and the error tells nothing of path, query and body', async () => {
  const { url } = await serve(() => undefined);
  const [server] = open.splice(-1);
  await new Promise((resolve) => server?.close(resolve));
  const error = await local()
    .call('POST', new URL('/path-mark?query-mark', url), { ...usual, body: 'body-mark' })
    .catch((thrown: unknown) => thrown as KeywayError);
  expect(error).toMatchObject({ code: 'UNAVAILABLE', cause: { cause: { code: 'ECONNREFUSED' } } });
  const told = [error, (error as KeywayError).cause].map((one) => `${String(one)} ${JSON.stringify(one)}`);
  expect(told.join()).not.toMatch(/-mark/);
});

test('what is closed ends its calls, and makes no more', async () => {
  const { url, asked } = await serve(() => undefined);
  const one = local();
  const call = whyNot(one.get(url, { ...usual, timeoutMs: 60_000 }));
  for (let waited = 0; waited < 2_000 && asked.length === 0; waited += 20) await sleep(20);
  await one.close();
  expect(await call).toBeInstanceOf(Error);
  expect(await whyNot(one.get(url, usual))).toBe('no calls are made any more');
  expect(asked).toHaveLength(1);
});
