import { texts } from '../../console/src/texts.js';
import { runKeyway } from '../support/process.js';

test('each command that the console names is there', async () => {
  const told = [...JSON.stringify(texts).matchAll(/“npm run keyway -- ([^”]+)”/g)].map(
    ([, words = '']) => words,
  );
  expect(told).not.toEqual([]);
  for (const words of told) {
    const { output } = await runKeyway([...words.split(' '), '--help']);
    expect(output).toContain(`Usage: keyway ${words}`);
  }
});
