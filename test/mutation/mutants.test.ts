import { pathToFileURL } from 'node:url';

interface Mutant {
  path: string;
  kind: string;
  to: string;
}

interface Mutants {
  mutantsOf(path: string, text: string): Mutant[];
  sample(files: readonly (readonly Mutant[])[], count: number, seed: number): Mutant[];
}

let mutants: Mutants;
beforeAll(async () => {
  mutants = (await import(pathToFileURL('test/mutation/mutants.mjs').href)) as Mutants;
});

const made = (text: string) => mutants.mutantsOf('src/some.ts', text).map(({ to }) => to);

test.each([
  ['if (a) b();', ['if (false) b();', 'if (!(a)) b();', 'if (a) ;']],
  ['if (a) throw fault;', ['if (!(a)) throw fault;', 'if (a) ;']],
  ['await lock(tx);', [';']],
  ['f(a && b);', [';', 'f(a);', 'f(b);']],
  ['const c = a <= b;', ['const c = a < b;']],
  ['const c = a ? b : d;', ['const c = b;', 'const c = d;']],
  ['const c = !a;', ['const c = a;']],
  ['const most = 20;', ['const most = 40;']],
  ['const c = all.every(f);', ['const c = all.some(f);']],
  ["const c = ['a', 'b'];", ["const c = ['b'];", "const c = ['a'];"]],
  ['const c = { accountId: a, name: b };', ['const c = { accountId: null, name: b };']],
  ["const c = 'words';", []],
  ["import { a } from './b.js';", []],
])('the mistakes that can be made in %s', (text, expected) => {
  expect(made(text)).toEqual(expected);
});

test.each([
  ['WHERE a = 1 AND b', ['WHERE true AND b', 'WHERE a = 1 AND true', 'WHERE a <> 1 AND b']],
  ['WHERE a BETWEEN 1 AND 2', []],
  ['WHERE a IS NULL', ['WHERE a IS NOT NULL']],
  ['WHERE a < now()', ['WHERE a <= now()']],
  ["WHERE a IN ('X', 'Y')", ["WHERE a IN ('Y')", "WHERE a IN ('X')"]],
  ['UPDATE t SET a = 1, b = 2', ['UPDATE t SET b = 2', 'UPDATE t SET a = 1']],
  ['UPDATE t SET ${all}, b = 2', ['UPDATE t SET b = 2', 'UPDATE t SET ${all}']],
  ['DELETE FROM t RETURNING t.a AS "b"', ['DELETE FROM t RETURNING NULL AS "b"']],
  ['INSERT INTO t (a, b) VALUES (:a, NULL)', ['INSERT INTO t (a, b) VALUES (NULL, NULL)']],
  ['SELECT a FROM t ORDER BY a LIMIT 1', ['SELECT a FROM t ORDER BY a DESC LIMIT 1']],
  ['SELECT a FROM t FOR UPDATE SKIP LOCKED', ['SELECT a FROM t', 'SELECT a FROM t FOR UPDATE']],
  ['WHERE NOT EXISTS (SELECT 1)', ['WHERE EXISTS (SELECT 1)']],
])('the mistakes that can be made in SQL: %s', (text, expected) => {
  expect(made(`const a = \`${text}\`;`).map((line) => line.replace(/ ?`;$/, '').slice(11))).toEqual(expected);
});

test('a sample is the same for the same seed, and takes from each file before it takes more from one', () => {
  const files = ['one', 'two', 'three'].map((name) =>
    mutants.mutantsOf(name, 'if (a) b(); const c = [1, 2, 3, 4, 5].length > 6;'),
  );
  const sampled = mutants.sample(files, 6, 7);
  expect(mutants.sample(files, 6, 7)).toEqual(sampled);
  expect(sampled.map(({ path }) => path).sort()).toEqual(['one', 'one', 'three', 'three', 'two', 'two']);
  expect(new Set(mutants.sample(files, 100, 8)).size).toBe(files.flat().length);
});
