import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

// Which test files are asked about a file of src/: its mirror; those that import it; its room's, and others, by how many
// of its words they use.

/** Run the command line on what was built before, or say nothing of what a mutant does. */
const aside =
  /^test\/(house|pages|prepared|readme|main|cli|migrations|statements|jobs|demo\/demo|mutation\/.*|upstreams\/.*|seeds\/.*|support\/.*)\.test\.ts$/;

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith('.ts'))
    .sort();

/** How a thing is called in GraphQL, in TypeScript and in SQL is one word; those that all files have count for little. */
const wordsOf = (text) =>
  new Set([...text.matchAll(/[A-Za-z_]{5,}/g)].map(([word]) => word.replaceAll('_', '').toLowerCase()));

const importsOf = (path, text) =>
  [...text.matchAll(/from '(\.[^']+)\.js'/g)].map(([, to]) => `${normalize(join(dirname(path), to))}.ts`);

/**
 * What finds the tests that are nearest to a file, the nearest first.
 * @returns `(path, most, among?) => paths`
 */
export function nearestTests() {
  const sources = filesIn('src').map((path) => ({ path, text: readFileSync(path, 'utf8') }));
  const tests = filesIn('test')
    .filter((path) => path.endsWith('.test.ts') && !aside.test(path))
    .map((path) => {
      const text = readFileSync(path, 'utf8');
      return { path, text, words: wordsOf(text), imports: importsOf(path, text) };
    });
  const uses = new Map();
  for (const { words } of tests) for (const word of words) uses.set(word, (uses.get(word) ?? 0) + 1);
  const weightOf = (word) => Math.log(tests.length / (uses.get(word) ?? tests.length));

  return (path, most, among = () => true) => {
    const importers = sources.filter(({ path: other, text }) => importsOf(other, text).includes(path));
    const mirrors = [path, ...importers.map(({ path: other }) => other)].map(mirrorOf);
    // A resolver calls its verbs in one line each: their tests are its own.
    const text = sources.find(({ path: other }) => other === path)?.text ?? '';
    const verbs = path.endsWith('.resolver.ts')
      ? importsOf(path, text).filter((other) => dirname(other) === dirname(path))
      : [];
    const verbMirrors = verbs.map(mirrorOf);
    const words = wordsOf(
      [path, ...importers.map(({ path: other }) => other)]
        .map((name) => sources.find(({ path: other }) => other === name)?.text ?? '')
        .join('\n'),
    );
    const own = wordsOf(text);
    const score = (test) => {
      let shared = 0;
      for (const word of test.words) {
        if (own.has(word)) shared += 2 * weightOf(word);
        else if (words.has(word)) shared += weightOf(word);
      }
      const nearness =
        (test.path === mirrors[0] ? 8 : 0) +
        (test.imports.includes(path) ? 4 : 0) +
        (mirrors.indexOf(test.path) > 0 ? 1 : 0) +
        (verbMirrors.includes(test.path) ? 3 : 0) +
        (basename(test.path).startsWith(namesOf(path)[0]) ? 1 : 0) +
        (namesOf(path).some((name) => test.path.includes(`/${name}/`)) ? 3 : 0) +
        (dirname(test.path) === dirname(mirrors[0]) ? 1 : 0);
      return (1 + nearness) * (shared / Math.sqrt(test.words.size));
    };
    return tests
      .filter(among)
      .map((test) => ({ path: test.path, score: score(test) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, most)
      .map(({ path: test }) => test);
  };
}

/** `create-outside` is a verb and where it is done: its tests are in `create` and `outside/`. */
const namesOf = (path) => basename(path, '.ts').split('-');

const mirrorOf = (path) => path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
