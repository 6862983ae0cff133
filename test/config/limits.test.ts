import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as limits from '../../src/config/limits.js';
import { durationMs } from '../../src/time.js';

/** All pages for users: where on them a number stands is no matter. */
const pages = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .map((name) => readFileSync(name, 'utf8'))
  .join('\n');
const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const numberOf = (text: string): number =>
  /^\d+$/.test(text) ? Number(text) : words.indexOf(text.toLowerCase());

const minutes = limits.lockedMs / 60_000;
const hours = (duration: string) => durationMs(duration) / 3_600_000;

/** What the pages say, with the numbers in it: `#` stands for a number, in digits or as a word. */
const said: [text: string, numbers: number[]][] = [
  ['`verifyCredentials(inputs: […])` takes up to #', [limits.mostVerified]],
  ['at most # wrong passwords are checked in # minutes', [limits.mostTries, minutes]],
  ['# wrong codes in a row lock the second factor for # minutes', [limits.mostTries, minutes]],
  ['a signed JWT of at most # KiB', [limits.usualJwtBytes / 1_024]],
  ['valid for # hours or less', [limits.usualJwtHours]],
  ['up to # hours) and `largestTokenBytes` (up to #)', [limits.longestJwtHours, limits.longestBearer]],
  ['For # hours, a request with the same key', [limits.idempotencyMs / 3_600_000]],
  ['It works for 10 minutes to # hours', [hours(limits.longestIssue)]],
  ['Tokens expire within # days; after #, if', [limits.longestTokenDays, limits.usualTokenDays]],
  [
    'in one project, or of one account where it is in none, # wrong passwords are checked in # minutes',
    [limits.mostTries, minutes],
  ],
  ['# wrong passwords are checked in # minutes for one user name', [limits.mostTries, minutes]],
  ['# wrong codes lock it', [limits.mostTries]],
  ['with more than one rotation in # seconds for all credentials', [limits.shortestTurnMs / 1_000]],
  ['more than # that have the name', [limits.mostNamesakes]],
  ['a lifetime of at most # hours', [limits.usualJwtHours]],
  ['An answer tells of # errors at most', [limits.mostErrors]],
  ['at most # `fields`, and # `locations`', [limits.mostFaults, limits.mostLocations]],
  ['A body over # KiB', [limits.largestBody / 1_024]],
  ['each item of its list (up to #) counts as a try', [limits.mostVerified]],
  [
    'Key sets: # s in all, and # KiB of an answer',
    [limits.slowestIssuerMs / 1_000, limits.largestKeySet / 1_024],
  ],
  ['each has # calls at a time', [limits.mostCalls]],
  [
    'After # failures in a row a store is not called for # seconds',
    [limits.failuresToOpen, limits.restMs / 1_000],
  ],
  ['# s to connect, # s in all', [limits.slowestConnectMs / 1_000, limits.slowestStoreMs / 1_000]],
  ['# MiB; # MiB for a listing', [limits.largestAnswer / 2 ** 20, limits.largestListing / 2 ** 20]],
  ['#, and # that wait, for # s', [limits.mostCalls, limits.mostQueued, limits.longestQueueMs / 1_000]],
  ['after #, no call is made for # s', [limits.failuresToOpen, limits.restMs / 1_000]],
];

test.each(said)('the pages say as it is: %s', (text, numbers) => {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '\\s+');
  const found = new RegExp(escaped.replaceAll('#', '([A-Za-z]+|\\d+)')).exec(pages);
  expect(found?.slice(1).map(numberOf)).toEqual(numbers);
});

test('the explorer says of a password as it is', () => {
  const example = readFileSync('src/http/explorer/examples/25-verify-password.graphql', 'utf8');
  const [, tries = '', time = ''] = /After (\w+) wrong ones in (\w+) minutes/.exec(example) ?? [];
  expect([tries, time].map(numberOf)).toEqual([limits.mostTries, minutes]);
});
