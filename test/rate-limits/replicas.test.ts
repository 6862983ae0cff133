import { makeCaller } from '../support/make.js';
import { startReplica, startTestServer, type TestServer } from '../support/server.js';
import { burst, codesOf, inOneWindow, limited } from './bursts.js';

// Several Keyways on one database: the embedded one has one.
const onPostgres = process.env['TEST_DATABASE_URL'] !== undefined;

let server: TestServer;
let callers: { token: string }[];
beforeAll(async () => {
  server = await startTestServer();
  callers = await Promise.all(Array.from({ length: 6 }, () => makeCaller(server)));
  await limited(server, 'points=100,failures=10');
});
afterAll(() => server.stop());

const next = () => callers.pop() ?? { token: '' };

if (onPostgres)
  test('S6: two processes let through no more than the limit together, and at most a block each less', async () => {
    const replica = await startReplica(server);
    try {
      await inOneWindow(async () => {
        const caller = next();
        const codes = codesOf(await burst([server, replica], caller, 200));
        expect(Object.keys(codes).sort()).toEqual(['200', 'RATE_LIMITED']);
        expect(codes['200']).toBeLessThanOrEqual(100);
        expect(codes['200']).toBeGreaterThanOrEqual(80);
        // What one has left, the other may not spend; what is left in each is spent there.
        await burst([server, replica], caller, 40);
        expect(codesOf(await burst([server, replica], caller, 20))).toEqual({ RATE_LIMITED: 20 });
      });
    } finally {
      await replica.stop();
    }
  });
else
  test('S6: a process that is alone lets through all that the limit has', async () => {
    await inOneWindow(async () => {
      expect(codesOf(await burst([server], next(), 200))).toEqual({ 200: 100, RATE_LIMITED: 100 });
    });
  });

test('S6: a limit that is set lower counts what was spent before, and 0 is none', async () => {
  await inOneWindow(async () => {
    const caller = next();
    expect(codesOf(await burst([server], caller, 90))).toEqual({ 200: 90 });
    await limited(server, 'points=0,failures=0');
    const [answer] = await burst([server], caller, 120);
    expect(answer?.headers.has('x-ratelimit-limit')).toBe(false);
    expect(answer?.text).toContain('"extensions":{"cost":1}');
    await limited(server, 'points=100,failures=10');
    const codes = codesOf(await burst([server], caller, 30));
    expect(codes['200'] ?? 0).toBeLessThanOrEqual(10);
  });
});
