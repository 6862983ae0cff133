import { openQueue } from '../../src/keyring/queue.js';

function task() {
  let finish = (): void => {};
  let started = false;
  const end = new Promise<void>((resolve) => (finish = resolve));
  return { run: async () => ((started = true), end), finish: () => finish(), isStarted: () => started };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('runs so many at once, the others in their order', async () => {
  const enter = openQueue(2, 10);
  const tasks = Array.from({ length: 5 }, task);
  const all = Promise.all(tasks.map(({ run }) => enter(run)));
  const started = () => tasks.map(({ isStarted }) => isStarted());
  await turn();
  expect(started()).toEqual([true, true, false, false, false]);
  tasks[1]?.finish();
  await turn();
  expect(started()).toEqual([true, true, true, false, false]);
  tasks.forEach(({ finish }) => finish());
  await all;
  expect(started()).toEqual([true, true, true, true, true]);
});

test('R19: turns away at once what would wait too long, and takes it again later', async () => {
  const enter = openQueue(1, 1);
  const [first, second] = [task(), task()];
  const both = Promise.all([enter(first.run), enter(second.run)]);
  await expect(enter(async () => 'third')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  first.finish();
  second.finish();
  await both;
  expect(await enter(async () => 'third')).toBe('third');
});

test('a task that fails gives its slot back', async () => {
  const enter = openQueue(1, 5);
  const answers = await Promise.allSettled([
    enter(() => Promise.reject(new Error('failed'))),
    enter(async () => 'next'),
    enter(async () => 'last'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});
