import { AsyncLocalStorage } from 'node:async_hooks';
import { WriteBehind } from '../../src/database/write-behind.js';
import { gate } from '../support/on-the-way.js';

interface Counted {
  key: string;
  times: number;
}

/** A queue that writes three at once into `written`, or does what it is told instead. */
function queue() {
  const written: string[][] = [];
  const failures: number[] = [];
  const made = {
    written,
    failures,
    instead: undefined as (() => Promise<void>) | undefined,
    note: (key: string) => {
      const known = behind.waiting(key);
      if (known) known.times++;
      else behind.add(key, { key, times: 1 });
    },
  };
  const behind = new WriteBehind<Counted>({
    atOnce: 3,
    write: async (items) => {
      await made.instead?.();
      written.push(items.map(({ key, times }) => `${key}${times}`));
    },
    join: (newer, older) => void (newer.times += older.times),
    failed: (_, waiting) => void failures.push(waiting),
  });
  return Object.assign(made, { behind });
}

const refuse = () => Promise.reject(new Error('not now'));

test('what waits is written in the order in which it came, so many at once', async () => {
  const { behind, note, written } = queue();
  for (const key of 'abacdea') note(key);
  expect(behind.size).toBe(5);
  await behind.flush();
  expect(written).toEqual([
    ['a3', 'b1', 'c1'],
    ['d1', 'e1'],
  ]);
  expect(behind.size).toBe(0);
  await behind.flush();
  expect(written).toHaveLength(2);
});

test('what cannot be written waits on, joined to what came meanwhile and behind it', async () => {
  const made = queue();
  for (const key of 'abcde') made.note(key);
  made.instead = async () => {
    made.instead = async () => {
      made.note('e');
      made.note('x');
      await refuse();
    };
  };
  await made.behind.flush();
  expect(made.written).toEqual([['a1', 'b1', 'c1']]);
  expect(made.failures).toEqual([3]);
  expect(made.behind.size).toBe(3);
  made.instead = undefined;
  await made.behind.flush();
  expect(made.written.slice(1)).toEqual([['e2', 'x1', 'd1']]);
});

test('what is under way counts as not written, and is not touched by what comes', async () => {
  const made = queue();
  const shut = gate();
  for (const key of 'abcd') made.note(key);
  made.instead = () => shut.opened;
  const flushed = made.behind.flush();
  await Promise.resolve();
  made.note('a');
  expect(made.behind.size).toBe(5);
  shut.open();
  await flushed;
  expect(made.written).toEqual([['a1', 'b1', 'c1'], ['d1']]);
  expect(made.behind.size).toBe(1);
});

test('flushes do not pile up: all who ask while one is under way share one more', async () => {
  const made = queue();
  const shut = gate();
  let writes = 0;
  made.instead = async () => {
    writes++;
    await shut.opened;
  };
  made.note('a');
  const first = made.behind.flush();
  await Promise.resolve();
  made.note('b');
  const later = [1, 2, 3, 4].map(() => made.behind.flush());
  expect(new Set(later).size).toBe(1);
  made.note('c');
  shut.open();
  await first;
  await Promise.all(later);
  expect(made.written).toEqual([['a1'], ['b1', 'c1']]);
  expect(writes).toBe(2);
});

test('a flush that fails is no end: the next one writes', async () => {
  const made = queue();
  made.instead = refuse;
  made.note('a');
  await Promise.all([made.behind.flush(), made.behind.flush()]);
  await made.behind.flush();
  expect(made.failures).toEqual([1, 1]);
  made.instead = undefined;
  await made.behind.flush();
  expect(made.written).toEqual([['a1']]);
});

test('it is written in the name of no request, also where one of them has it written', async () => {
  const request = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const behind = new WriteBehind<string>({
    atOnce: 1,
    write: async () => void seen.push(request.getStore()),
    join: () => undefined,
    failed: () => undefined,
  });
  behind.add('a', 'a');
  await request.run('a request', () => behind.flush());
  expect(seen).toEqual([undefined]);
});
