import { setTimeout as sleep } from 'node:timers/promises';
import { Tries } from '../../src/shares/tries.js';

const refused = (retryInMs: number) => Object.assign(new Error('refused'), { retryInMs });
const tries = (windowMs = 60_000) => new Tries({ atOnce: 2, failures: 3, windowMs }, refused);
const fail = () => Promise.reject(new Error('failed'));
const succeed = async () => 'done';

test('so many are tried at once of each, and others beside them', async () => {
  const all = tries();
  let end = (): void => {};
  const held = new Promise<void>((resolve) => (end = resolve));
  const two = [all.run('one', () => held), all.run('one', () => held)];
  await expect(all.run('one', succeed)).rejects.toThrow('refused');
  expect(await all.run('other', succeed)).toBe('done');
  end();
  await Promise.all(two);
  expect(await all.run('one', succeed)).toBe('done');
});

test('so many may fail in a time, and what succeeds does not count', async () => {
  const all = tries(100);
  for (let time = 0; time < 10; time++) expect(await all.run('one', succeed)).toBe('done');
  for (let time = 0; time < 3; time++) await expect(all.run('one', fail)).rejects.toThrow('failed');
  await expect(all.run('one', succeed)).rejects.toMatchObject({ message: 'refused' });
  await expect(all.run('other', fail)).rejects.toThrow('failed');
  await sleep(120);
  expect(await all.run('one', succeed)).toBe('done');
});
