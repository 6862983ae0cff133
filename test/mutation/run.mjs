// Would a test notice? Makes small mistakes in src/, one at a time, in a copy of the checkout, and runs the tests that are
// nearest to each. docs/mutation.md says why, and what came of it.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCopy } from './copy.mjs';
import { mutantsOf, sample } from './mutants.mjs';
import { nearestTests } from './nearest.mjs';
import { typeChecker } from './types.mjs';

const wanted = 0.85;

const { values } = parseArgs({
  options: {
    room: { type: 'string', multiple: true, default: [] },
    file: { type: 'string', multiple: true, default: [] },
    count: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    tests: { type: 'string', default: '5' },
    list: { type: 'boolean', default: false },
  },
});

/** Mistakes that change nothing that anybody could see, each with its reason. */
const equivalent = JSON.parse(readFileSync('test/mutation/equivalent.json', 'utf8'));

const outdated = equivalent.filter(({ path, from }) => !linesOf(path).includes(from));
for (const { path, from } of outdated) console.error(`equivalent.json: ${path} has no such line: ${from}`);
const groundless = equivalent.filter(({ reason }) => !reason);
for (const { path, to } of groundless) console.error(`equivalent.json: ${path} has no reason for: ${to}`);
if (outdated.length + groundless.length > 0) process.exit(2);

const groups = [
  ...values.room.map((room) => ({ name: room, files: filesIn(join('src', room)) })),
  ...(values.file.length > 0 ? [{ name: 'files', files: values.file }] : []),
];
if (groups.length === 0 || groups.some(({ files }) => files.length === 0)) {
  console.error('Name a room (--room access) or a file (--file src/access/nonces.ts) of src/.');
  process.exit(2);
}

let copy;
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => void Promise.resolve(copy?.remove()).finally(() => process.exit(2)));

const compiles = typeChecker();
const nearest = nearestTests();
const scores = [];
try {
  for (const { name, files } of groups) scores.push(await scoreOf(name, files));
} finally {
  await copy?.remove();
}
for (const { name, noticed, asked } of scores)
  console.log(`${name}: ${noticed} of ${asked} noticed, ${Math.round((100 * noticed) / asked)} %`);
process.exit(values.list || scores.every(({ noticed, asked }) => noticed / asked >= wanted) ? 0 : 1);

async function scoreOf(name, files) {
  const all = files.map((path) => mutantsOf(path, readFileSync(path, 'utf8')));
  const chosen = [];
  // What is left out for its types is made up for by others.
  for (const mutant of sample(all, Infinity, Number(values.seed))) {
    if (chosen.length === Number(values.count)) break;
    if (!isEquivalent(mutant) && compiles(mutant)) chosen.push(mutant);
  }
  const score = { name, noticed: 0, asked: chosen.length };
  if (values.list) {
    for (const mutant of chosen) tell('', mutant);
    return { ...score, noticed: chosen.length };
  }
  copy ??= await makeCopy();
  const noticing = new Set();
  for (const mutant of chosen) {
    const noticedBy =
      (await copy.noticedBy(mutant, nearest(mutant.path, Number(values.tests)))) ??
      (isLock(mutant) ? await copy.noticedOnPostgres(mutant, nearest(mutant.path, 4, waiting)) : undefined);
    if (noticedBy) score.noticed++;
    if (noticedBy?.startsWith('test/')) noticing.add(noticedBy.split(':')[0]);
    tell(noticedBy ? `noticed by ${noticedBy}` : 'SURVIVED', mutant);
  }
  if (noticing.size > 0) await copy.expectGreen([...noticing]);
  return score;
}

function isLock({ kind }) {
  return kind === 'sql lock';
}

/** Locks are tested where another connection can wait for them. */
function waiting({ text }) {
  return text.includes('TEST_DATABASE_URL');
}

function tell(outcome, { path, line, kind, from, to }) {
  console.log(`${path}:${line} ${kind} ${outcome}\n  - ${from}\n  + ${to}`);
}

function isEquivalent({ path, from, to }) {
  return equivalent.some((each) => each.path === path && each.from === from && each.to === to);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith('.ts'))
    .sort();
}

function linesOf(path) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.trim());
}
