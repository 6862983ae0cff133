import { openQueue } from '../../src/shares/queue.js';

const one = ['tenant', 'account'];
const full = () => new Error('full');

function task() {
  let finish = (): void => {};
  let started = false;
  const end = new Promise<void>((resolve) => (finish = resolve));
  return { run: async () => ((started = true), end), finish: () => finish(), isStarted: () => started };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('runs so many at once, the others in their order', async () => {
  const enter = openQueue(2, 10, full);
  const tasks = Array.from({ length: 5 }, task);
  const all = Promise.all(tasks.map(({ run }) => enter(one, run)));
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
  const enter = openQueue(1, 1, full);
  const [first, second] = [task(), task()];
  const both = Promise.all([enter(one, first.run), enter(one, second.run)]);
  await expect(enter(one, async () => 'third')).rejects.toThrow('full');
  first.finish();
  second.finish();
  await both;
  expect(await enter(one, async () => 'third')).toBe('third');
});

test('a task that fails gives its slot back', async () => {
  const enter = openQueue(1, 5, full);
  const answers = await Promise.allSettled([
    enter(one, () => Promise.reject(new Error('failed'))),
    enter(one, async () => 'next'),
    enter(one, async () => 'last'),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});

test('R22: whoever has most waiting makes room, and nobody is refused for what another has waiting', async () => {
  const enter = openQueue(1, 4, full);
  const [running, ...theirs] = Array.from({ length: 5 }, task);
  const mine = task();
  const all = [running, ...theirs].map((each) => enter(['hostile', 'a part'], async () => each?.run()));
  const waiting = enter(one, mine.run);
  // The last of theirs made room.
  await expect(all.at(-1)).rejects.toThrow('full');
  running?.finish();
  await turn();
  theirs[0]?.finish();
  await turn();
  // One of theirs was before, and one only.
  expect([...theirs, mine].map((each) => each?.isStarted())).toEqual([true, false, false, false, true]);
  for (const each of [...theirs, mine]) each?.finish();
  await waiting;
  await Promise.all(all.slice(0, -1));
});
