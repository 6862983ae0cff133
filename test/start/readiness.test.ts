import { readiness } from '../../src/start/readiness.js';

/** A database that is asked, and answers by hand. */
function makePing() {
  const asked: { answer: () => void; fail: (error: Error) => void }[] = [];
  const ping = () => new Promise<void>((answer, fail) => asked.push({ answer, fail }));
  return { asked, ping };
}

test('R16: a database that does not answer in time is not ready, and is asked only once meanwhile', async () => {
  const { asked, ping } = makePing();
  const ready = readiness(ping, 1);
  expect(await Promise.all([ready(), ready()])).toEqual([false, false]);
  expect(await ready()).toBe(false);
  expect(asked).toHaveLength(1);
});

test('R16: each time that it has answered, it is asked anew', async () => {
  const { asked, ping } = makePing();
  const ready = readiness(ping, 60_000);
  const first = [ready(), ready()];
  asked[0]?.answer();
  expect(await Promise.all(first)).toEqual([true, true]);
  const second = ready();
  asked[1]?.fail(new Error('lost'));
  expect(await second).toBe(false);
  const third = ready();
  asked[2]?.answer();
  expect(await third).toBe(true);
  expect(asked).toHaveLength(3);
});
