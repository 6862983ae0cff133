import { readFileSync } from 'node:fs';
import { verdictOn, type Facts, type Mishap } from '../../../src/credentials/outside/verdict.js';

const page = readFileSync('docs/outside-changes.md', 'utf8');
const mishaps: Mishap[] = ['UNCLEAR', 'NOT_NOW', 'REFUSED', 'SPOILED', 'LOST', 'NOT_REPEATED'];
const verbs: Facts['verb'][] = ['CREATE', 'UPDATE', 'ROTATE', 'REVOKE', 'DELETE'];
const ways: Facts['way'][] = ['ours', 'overlap', 'replaced'];

/** The lines of the table under a heading, each a list of its cells. */
function tableUnder(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const fits = (cell: string | undefined, value: string) => cell === 'any' || cell?.split(', ').includes(value);
const yes = (flag: boolean) => (flag ? 'yes' : 'no');

test('a verdict is what the first line of the table that fits says, for every mishap of every intent', () => {
  const lines = tableUnder('Verdicts');
  expect(lines.length).toBeGreaterThan(5);
  const used = new Set<string[]>();
  for (const mishap of mishaps)
    for (const verb of verbs)
      for (const way of ways)
        for (const shows of [true, false])
          for (const open of [true, false]) {
            const line = lines.find(
              ([ofMishap, ofVerb, ofWay, ofShown, ofOpen]) =>
                fits(ofMishap, mishap) &&
                fits(ofVerb, verb) &&
                fits(ofWay, way) &&
                fits(ofShown, yes(shows)) &&
                fits(ofOpen, yes(open)),
            );
            if (line) used.add(line);
            const asked = { mishap, verb, way, shows, open };
            expect({ ...asked, verdict: verdictOn(mishap, asked) }).toEqual({ ...asked, verdict: line?.[5] });
          }
  expect(lines.filter((line) => !used.has(line))).toEqual([]);
});

test('the states of the page are those that an intent can have', () => {
  const states = new Set(tableUnder('States of an intent').flatMap(([from, , , to]) => [from, to]));
  expect([...states].sort()).toEqual(['DONE', 'DROPPED', 'FAILED', 'OPEN', 'UNKNOWN', 'none']);
});
