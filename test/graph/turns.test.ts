import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turns } from '../../src/graph/turns.js';

/** Takes turns, and tells after each turn of the event loop which pieces have begun. */
function taking() {
  const turns = new Turns();
  let begun: string[] = [];
  return {
    take: (name: string, whose: string, part?: number) =>
      void turns.take([whose], part).then(() => begun.push(name)),
    begunInNext: async () => {
      begun = [];
      await nextTurn();
      return begun;
    },
  };
}

test('one piece begins in a turn of the event loop, of callers in turn', async () => {
  const { take, begunInNext } = taking();
  for (const name of ['a1', 'a2', 'a3']) take(name, 'a');
  take('b1', 'b');
  for (const name of ['a1', 'b1', 'a2', 'a3']) expect(await begunInNext()).toEqual([name]);
  expect(await begunInNext()).toEqual([]);
});

test('small pieces begin together, up to the one with which the turn is full', async () => {
  const { take, begunInNext } = taking();
  for (const name of ['a1', 'a2', 'a3', 'a4']) take(name, 'a', 0.4);
  take('b1', 'b', 1);
  take('b2', 'b', 0.1);
  expect(await begunInNext()).toEqual(['a1', 'b1']);
  expect(await begunInNext()).toEqual(['a2', 'b2', 'a3', 'a4']);
  take('c', 'c', 0);
  expect(await begunInNext()).toEqual(['c']);
});
