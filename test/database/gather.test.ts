import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { gatherOn, gather, Lane, openWire } from '../../src/database/gather.js';
import type { Database } from '../../src/database/database.js';

/** A reader whose batches stay open until they are answered. */
function openReader(patienceMs = 0) {
  const batches: { keys: number[]; answer(found?: readonly string[]): void; fail(error: Error): void }[] = [];
  const ask = gather<number, string>(
    (keys) =>
      new Promise((resolve, reject) => {
        const answers = keys.map((key) => `of ${key}`);
        batches.push({
          keys: [...keys],
          answer: (found = answers) => resolve(found),
          fail: reject,
        });
      }),
    { patienceMs },
  );
  return { ask, batches, sent: () => batches.map(({ keys }) => keys) };
}

/** Lets everything happen that waits for a turn of the event loop. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('gather', () => {
  test('asks once for all that is asked for in the same turn, each as often as it is, in order', async () => {
    const { ask, batches, sent } = openReader();
    const answers = Promise.all([3, 1, 2, 1].map(ask));
    expect(sent()).toEqual([]);
    await settle();
    expect(sent()).toEqual([[3, 1, 2, 1]]);
    batches[0]?.answer();
    expect(await answers).toEqual(['of 3', 'of 1', 'of 2', 'of 1']);
  });

  test('R22: answers some in each turn, in order, so that others have theirs between', async () => {
    const { ask, batches } = openReader();
    const told: number[] = [];
    const keys = range(0, 40);
    const all = keys.map((key) => ask(key).then(() => told.push(key)));
    await settle();
    batches[0]?.answer();
    const after: number[] = [];
    while (told.length < 40) {
      await turn();
      after.push(told.length);
    }
    await Promise.all(all);
    expect(told).toEqual(keys);
    expect(after.length).toBeGreaterThanOrEqual(8);
    expect(Math.max(...after.map((count, at) => count - (after[at - 1] ?? 0)))).toBeLessThanOrEqual(10);
  });

  test('S23: sends a batch after everything in it was asked for, and keeps nothing of one before', async () => {
    const { ask, batches, sent } = openReader();
    const first = ask(1);
    await settle();
    expect(sent()).toEqual([[1]]);
    // The same is asked for while it is under way: an answer to the earlier question is none to this one.
    const second = ask(1);
    await settle();
    expect(sent()).toEqual([[1], [1]]);
    batches[1]?.answer(['newer']);
    expect(await second).toBe('newer');
    batches[0]?.answer(['older']);
    expect(await first).toBe('older');
    const third = ask(1);
    await settle();
    expect(sent()).toHaveLength(3);
    batches[2]?.answer(['newest']);
    expect(await third).toBe('newest');
  });

  test('has never more than two under way; what comes meanwhile is one batch', async () => {
    const { ask, batches, sent } = openReader();
    const answers: Promise<string>[] = [];
    for (const key of range(0, 6)) {
      answers.push(ask(key));
      await settle();
    }
    expect(sent()).toEqual([[0], [1]]);
    batches[1]?.answer();
    await settle();
    expect(sent()).toEqual([[0], [1], [2, 3, 4, 5]]);
    batches[0]?.answer();
    batches[2]?.answer();
    await settle();
    expect(sent()).toHaveLength(3);
    expect(await Promise.all(answers)).toEqual(range(0, 6).map((key) => `of ${key}`));
  });

  test('has a batch wait for the one before, and gathers what comes meanwhile', async () => {
    const { ask, batches, sent } = openReader(60_000);
    const answers = [ask(0)];
    await settle();
    answers.push(ask(1));
    await settle();
    answers.push(ask(2));
    await settle();
    expect(sent()).toEqual([[0]]);
    batches[0]?.answer();
    await settle();
    expect(sent()).toEqual([[0], [1, 2]]);
    batches[1]?.answer();
    expect(await Promise.all(answers)).toEqual(['of 0', 'of 1', 'of 2']);
  });

  test('but not for one that takes its time, nor where more is left than one batch takes', async () => {
    const slow = openReader(1);
    const answers = [slow.ask(0)];
    await settle();
    answers.push(slow.ask(1));
    while (slow.sent().length < 2) await sleep(1);
    expect(slow.sent()).toEqual([[0], [1]]);
    const full = openReader(60_000);
    answers.push(...range(0, 250).map((key) => full.ask(key)));
    await settle();
    expect(full.sent()).toEqual([range(0, 200), range(200, 250)]);
    for (const batch of [...slow.batches, ...full.batches]) batch.answer();
    expect(await Promise.all(answers)).toHaveLength(252);
  });

  test('asks for 200 at most at once, and for the rest after them', async () => {
    const { ask, batches, sent } = openReader();
    const answers = Promise.all(range(0, 500).map(ask));
    await settle();
    expect(sent()).toEqual([range(0, 200), range(200, 400)]);
    batches[0]?.answer();
    await settle();
    expect(sent()).toEqual([range(0, 200), range(200, 400), range(400, 500)]);
    batches[1]?.answer();
    batches[2]?.answer();
    expect(await answers).toEqual(range(0, 500).map((key) => `of ${key}`));
  });

  test('a failure reaches all of its batch, and nobody else', async () => {
    const { ask, batches, sent } = openReader();
    const first = Promise.allSettled([1, 2].map(ask));
    await settle();
    const second = Promise.allSettled([3, 4].map(ask));
    await settle();
    const third = Promise.allSettled([5].map(ask));
    batches[0]?.fail(new Error('the first failed'));
    const failed = { status: 'rejected', reason: new Error('the first failed') };
    expect(await first).toEqual([failed, failed]);
    batches[1]?.answer();
    expect(await second).toEqual([3, 4].map((key) => ({ status: 'fulfilled', value: `of ${key}` })));
    await settle();
    expect(sent()).toEqual([[1, 2], [3, 4], [5]]);
    batches[2]?.answer();
    expect(await third).toEqual([{ status: 'fulfilled', value: 'of 5' }]);
  });

  test('a reader that throws at once fails its batch, and the next is asked for', async () => {
    let times = 0;
    const ask = gather<number, number>((keys) => {
      if (++times === 1) throw new Error('not now');
      return Promise.resolve(keys.map((key) => key * 2));
    });
    await expect(Promise.all([ask(1), ask(2)])).rejects.toThrow('not now');
    expect(await Promise.all([ask(1), ask(2)])).toEqual([2, 4]);
  });

  test('who was given no answer is told so, and not left waiting', async () => {
    const { ask, batches } = openReader();
    const answers = Promise.allSettled([1, 2].map(ask));
    await settle();
    batches[0]?.answer(['of 1']);
    expect(await answers).toEqual([
      { status: 'fulfilled', value: 'of 1' },
      { status: 'rejected', reason: expect.any(Error) },
    ]);
  });

  test('whatever comes when, each is answered with its own, and never more than two are under way', async () => {
    let running = 0;
    let most = 0;
    const ask = gather<number, string>(
      async (keys) => {
        most = Math.max(most, ++running);
        for (let turns = 0; turns < keys.length % 4; turns++) await turn();
        running--;
        if (keys.includes(13)) throw new Error('unlucky');
        return keys.map((key) => `of ${key}`);
      },
      { patienceMs: 0 },
    );
    const asked: Promise<string>[] = [];
    for (let key = 0; key < 2_000; key++) {
      asked.push(ask(key));
      if (key % 7 === 0) await turn();
    }
    const answers = await Promise.allSettled(asked);
    const unlucky = answers.flatMap((answer, key) => (answer.status === 'rejected' ? [key] : []));
    expect(unlucky).toContain(13);
    // Those who came with it, and no others.
    expect(unlucky).toEqual(range(unlucky[0] ?? 0, (unlucky[0] ?? 0) + unlucky.length));
    answers.forEach((answer, key) => {
      if (answer.status === 'fulfilled') expect(answer.value).toBe(`of ${key}`);
    });
    expect(most).toBe(2);
  });
});

test('gatherOn asks once for all requests on one database, by itself, and counts what each waits for', async () => {
  const asked: [Database, number[]][] = [];
  const ask = gatherOn<number, string>(async (db, keys) => {
    asked.push([db, [...keys]]);
    return keys.map((key) => `of ${key}`);
  });
  let counted = 0;
  const during = <Result>(work: () => Promise<Result>) => {
    counted++;
    return work();
  };
  const [one, other] = [{}, {}] as [Database, Database];
  const within = (unlimited: Database) => ({ unlimited, during }) as Database;
  const answers = [ask(within(one), 1), ask(within(one), 2), ask(within(other), 3)];
  expect(await Promise.all(answers)).toEqual(['of 1', 'of 2', 'of 3']);
  expect(asked.map(([, keys]) => keys)).toEqual([[1, 2], [3]]);
  expect(asked.map(([db]) => db === one)).toEqual([true, false]);
  expect(counted).toBe(3);
});

describe('a lane', () => {
  test('takes questions together up to a weight, and one that is heavier by itself', async () => {
    const sent: number[][] = [];
    const idle: number[] = [];
    const lane = new Lane<number, number>(
      async (keys) => {
        sent.push([...keys]);
        return keys;
      },
      { mostKeys: 10, weigh: (key) => key, onIdle: () => idle.push(sent.length) },
    );
    const asked = [[4, 5], [1], [3], [20], [2]];
    expect(await Promise.all(asked.map((keys) => lane.ask(keys)))).toEqual(asked);
    expect(sent).toEqual([[4, 5, 1], [3], [20], [2]]);
    await settle();
    expect(idle).toEqual([4]);
    await lane.ask([6]);
    await settle();
    expect(idle).toEqual([4, 5]);
  });

  test('whose failure is of a key answers the others of its batch, each by itself', async () => {
    const lane = new Lane<number, number>(
      async (keys) => {
        if (keys.includes(13)) throw new Error('unlucky');
        return keys;
      },
      { isOfKeys: () => true },
    );
    const answers = await Promise.allSettled([[1, 2], [13], [3]].map((keys) => lane.ask(keys)));
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'failed'))).toEqual([
      [1, 2],
      'failed',
      [3],
    ]);
  });

  test('waits for room on a wire that it shares with others, and takes along what comes meanwhile', async () => {
    const wire = openWire(1);
    const opened: (() => void)[] = [];
    const sent: string[] = [];
    const make = (name: string) =>
      new Lane<number, number>(
        async (keys) => {
          sent.push(`${name} ${keys.join()}`);
          await new Promise<void>((resolve) => opened.push(resolve));
          return keys;
        },
        { wire },
      );
    const [one, other] = [make('one'), make('other')];
    const answers = [one.ask([1]), other.ask([2])];
    await settle();
    answers.push(other.ask([3]));
    await settle();
    expect(sent).toEqual(['one 1']);
    opened[0]?.();
    await settle();
    expect(sent).toEqual(['one 1', 'other 2,3']);
    opened[1]?.();
    expect(await Promise.all(answers)).toEqual([[1], [2], [3]]);
  });
});
