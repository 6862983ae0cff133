import { hasLegalOrder, type Operation } from './support/legal-order.js';

/** A register: `write` sets it, `read` tells it. */
const write = (asked: number, answered: number, value: number): Operation<number> => ({
  asked,
  answered,
  told: `write ${value}`,
  apply: () => value,
});
const read = (asked: number, answered: number, value: number): Operation<number> => ({
  asked,
  answered,
  told: `read ${value}`,
  apply: (state) => (state === value ? state : undefined),
});

test.each<[string, Operation<number>[], boolean]>([
  ['a read after a write', [write(0, 1, 1), read(2, 3, 1)], true],
  ['a stale read', [write(0, 1, 1), read(2, 3, 0)], false],
  ['a read beside a write', [write(0, 3, 1), read(1, 2, 0)], true],
  ['reads beside a write that go back', [write(0, 9, 1), read(1, 2, 1), read(3, 4, 0)], false],
  ['a write without an answer that never happened', [write(0, Infinity, 1), read(2, 3, 0)], true],
  ['one that happened late', [write(0, Infinity, 1), read(2, 3, 0), read(4, 5, 1)], true],
  ['one that was taken back', [write(0, Infinity, 1), read(2, 3, 1), read(4, 5, 0)], false],
  ['two writes in either order', [write(0, 9, 1), write(0, 9, 2), read(10, 11, 1)], true],
  ['a value that nobody wrote', [write(0, 9, 1), read(0, 9, 3)], false],
])('%s', (_, operations, isLegal) => {
  expect(hasLegalOrder(0, operations)).toBe(isLegal);
});
