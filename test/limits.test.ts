import { readFileSync } from 'node:fs';
import * as limits from '../src/limits.js';
import { durationMs } from '../src/time.js';

const pages = {
  readme: 'README.md',
  security: 'docs/security.md',
  stores: 'docs/stores.md',
};
const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const numberOf = (text: string): number =>
  /^\d+$/.test(text) ? Number(text) : words.indexOf(text.toLowerCase());

const minutes = limits.lockedMs / 60_000;
const hours = (duration: string) => durationMs(duration) / 3_600_000;

/** What the pages say, with the numbers in it: `#` stands for a number, in digits or as a word. */
const said: [page: keyof typeof pages, text: string, numbers: number[]][] = [
  ['readme', '`verifyCredentials(inputs: […])` takes up to #', [limits.mostVerified]],
  ['readme', 'at most # wrong passwords are looked at in # minutes', [limits.mostTries, minutes]],
  ['readme', '# failures in a row lock the factor for # minutes', [limits.mostTries, minutes]],
  ['readme', 'a signed JWT of at most # KiB', [limits.longestBearer / 1_024]],
  ['readme', 'for # hours the same key', [limits.idempotencyMs / 3_600_000]],
  ['readme', 'lives for 10 minutes to # hours', [hours(limits.longestIssue)]],
  [
    'readme',
    'Tokens end within # days, after # where nothing is said',
    [limits.longestTokenDays, limits.usualTokenDays],
  ],
  ['security', '# wrong passwords in # minutes are looked at', [limits.mostTries, minutes]],
  ['security', '# wrong passwords are looked at in # minutes', [limits.mostTries, minutes]],
  ['security', '# failures lock it', [limits.mostTries]],
  ['security', 'a lifetime of at most # hours', [limits.longestJwtMs / 3_600_000]],
  ['security', 'A body over # KiB', [limits.largestBody / 1_024]],
  ['security', 'of a list of up to # each counts as a try', [limits.mostVerified]],
  [
    'security',
    'Key sets: # s in all, and # KiB of an answer',
    [limits.slowestIssuerMs / 1_000, limits.largestKeySet / 1_024],
  ],
  ['security', 'each has # places for calls', [limits.mostCalls]],
  [
    'security',
    'After # failures in a row a store is not called for # seconds',
    [limits.failuresToOpen, limits.restMs / 1_000],
  ],
  ['stores', '# s to connect, # s in all', [limits.slowestConnectMs / 1_000, limits.slowestStoreMs / 1_000]],
  ['stores', '# MiB; # MiB for a listing', [limits.largestAnswer / 2 ** 20, limits.largestListing / 2 ** 20]],
  [
    'stores',
    '#, and # that wait, for # s',
    [limits.mostCalls, limits.mostQueued, limits.longestQueueMs / 1_000],
  ],
  ['stores', 'after # none goes out for # s', [limits.failuresToOpen, limits.restMs / 1_000]],
];

test.each(said)('the %s says as it is: %s', (page, text, numbers) => {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+');
  const found = new RegExp(escaped.replaceAll('#', '([A-Za-z]+|\\d+)')).exec(
    readFileSync(pages[page], 'utf8'),
  );
  expect(found?.slice(1).map(numberOf)).toEqual(numbers);
});

test('the explorer says of a password as it is', () => {
  const example = readFileSync('src/explorer/examples/25-verify-password.graphql', 'utf8');
  const [, tries = '', time = ''] = /After (\w+) wrong ones in (\w+) minutes/.exec(example) ?? [];
  expect([tries, time].map(numberOf)).toEqual([limits.mostTries, minutes]);
});
