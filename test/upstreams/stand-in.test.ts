import { openStandIn, type StandIn } from './stand-in.js';

let standIn: StandIn;
/** What was done, in order. */
let done: string[];
beforeEach(async () => {
  done = [];
  standIn = await openStandIn(({ method, path, body }) => {
    done.push(`${method} ${path}${body}`);
    return { status: 200, body: { ok: true } };
  });
});
afterEach(() => standIn.stop());

const ask = async (path = '/', init: RequestInit = {}) => {
  const response = await fetch(standIn.url + path, init);
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
};
const usual = { status: 200, text: '{"ok":true}', type: 'application/json' };

test('notes each request with the status of its answer', async () => {
  await ask('/a?b=%20c', { method: 'PUT', body: 'd', headers: { 'x-e': 'f' } });
  expect(standIn.calls).toMatchObject([
    { method: 'PUT', target: '/a?b=%20c', path: '/a', body: 'd', headers: { 'x-e': 'f' }, status: 200 },
  ]);
  expect(standIn.calls[0]?.query.get('b')).toBe(' c');
});

describe('a request', () => {
  test('may be answered late', async () => {
    standIn.meet({ kind: 'slow', ms: 60 });
    const before = performance.now();
    expect(await ask()).toEqual(usual);
    // A timer may be a moment early by this clock.
    expect(performance.now() - before).toBeGreaterThan(55);
  });

  test('may be answered otherwise, with nothing done', async () => {
    standIn.meet({ kind: 'fail', status: 503, headers: { 'retry-after': '7' }, body: '<html>' });
    expect(await ask()).toMatchObject({ status: 503, text: '<html>' });
    expect(done).toEqual([]);
    expect(standIn.calls[0]?.status).toBe(503);
  });

  test('may be cut off with nothing done', async () => {
    standIn.meet({ kind: 'refuse' });
    await expect(ask()).rejects.toThrow();
    expect(done).toEqual([]);
    expect(standIn.calls).toMatchObject([{ status: undefined }]);
  });

  test('may be cut off once all is done', async () => {
    standIn.meet({ kind: 'drop' });
    await expect(ask()).rejects.toThrow();
    expect(done).toEqual(['GET /']);
  });

  test('may be answered by what is no JSON', async () => {
    standIn.meet({ kind: 'garbage' });
    const { status, text } = await ask();
    expect(status).toBe(200);
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(done).toEqual(['GET /']);
  });

  test('may be answered by far too much', async () => {
    standIn.meet({ kind: 'huge' });
    const { text } = await ask();
    expect(text).toHaveLength(64 * 1_048_576);
    expect(done).toEqual(['GET /']);
  });

  test('may be left before too much of an answer has come', async () => {
    standIn.meet({ kind: 'huge' });
    const response = await fetch(standIn.url);
    await response.body?.cancel();
    expect(await ask()).toEqual(usual);
  });

  test.each(['before', 'after'] as const)('may be held %s its work is done', async (when) => {
    const reached = standIn.hold(when);
    const asked = ask('/held');
    const held = await reached;
    expect(done).toEqual(when === 'before' ? [] : ['GET /held']);
    expect(held.request.path).toBe('/held');
    held.release();
    expect(await asked).toEqual(usual);
  });
});

test('a fault meets those that fit, as often as it was said', async () => {
  standIn.meet({ kind: 'fail', status: 500 }, { method: 'POST', path: /^\/a\?x=1/ }, 2);
  const post = (path: string) => ask(path, { method: 'POST' }).then(({ status }) => status);
  expect([(await ask('/a?x=1')).status, await post('/b?x=1'), await post('/a')]).toEqual([200, 200, 200]);
  expect([await post('/a?x=1'), await post('/a?x=1'), await post('/a?x=1')]).toEqual([500, 500, 200]);
});

test('all faults are forgotten, and all that is held goes on, once it is cleared', async () => {
  const reached = standIn.hold('before');
  const asked = ask();
  await reached;
  standIn.meet({ kind: 'refuse' });
  standIn.clear();
  expect([await asked, await ask()]).toEqual([usual, usual]);
});

test('no answer comes once it is stopped, not even to who is held', async () => {
  const other = await openStandIn(() => ({ status: 204 }));
  const reached = other.hold('before');
  const asked = fetch(other.url).then(
    () => 'answered',
    () => 'cut off',
  );
  await reached;
  await other.stop();
  expect(await asked).toBe('cut off');
  await expect(fetch(other.url)).rejects.toThrow();
});
