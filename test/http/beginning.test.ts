import { setImmediate as turn } from 'node:timers/promises';
import { aFewInATurn } from '../../src/http/admission/beginning.js';

const begins = () => {
  const begun: number[] = [];
  const inTurn = aFewInATurn(3);
  return { begun, begin: (number: number) => inTurn(() => begun.push(number)) };
};

test('R22: so much begins at once, and the rest a few in each turn, in the order in which it came', async () => {
  const { begun, begin } = begins();
  for (let number = 0; number < 8; number++) begin(number);
  expect(begun).toEqual([0, 1, 2]);
  await turn();
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  // What comes now is behind those who wait.
  begin(8);
  expect(begun).toHaveLength(6);
  await turn();
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  await turn();
});

test('what comes alone begins at once, whatever was before', async () => {
  const { begun, begin } = begins();
  for (let number = 0; number < 7; number++) {
    begin(number);
    expect(begun).toHaveLength(number + 1);
    await turn();
    await turn();
  }
});
