// Which test files the suite on PostgreSQL runs, for Jest's `--filter`: a file that is about no database proves the same
// on either, and has proved it on the embedded one. What a file opens, it opens by what it imports from test/support.
const { log } = require('node:console');
const { existsSync, readFileSync } = require('node:fs');
const { dirname, relative, resolve } = require('node:path');

const root = resolve();
const opening = ['server.ts', 'process.ts', 'command.ts'].map((name) => resolve(root, 'test/support', name));
// A file says `@embedded`, and what it is about, in the comment that it begins with, where that is no matter of the
// database. What it does to tables, others do on PostgreSQL too.
const aboutOf = (path) => /^\/\*\*[^/]*@embedded (.+)/.exec(readFileSync(path, 'utf8'))?.[1];

module.exports = (paths) => {
  const filtered = paths.filter((path) => aboutOf(path) === undefined && opensDatabase(path));
  const left = paths.filter((path) => !filtered.includes(path)).map((path) => relative(root, path));
  log(`${left.length} files are about no database, and ran above alone: ${left.sort().join(', ')}`);
  return { filtered };
};

function opensDatabase(path, seen = new Set()) {
  if (opening.includes(path)) return true;
  if (seen.has(path) || !existsSync(path)) return false;
  seen.add(path);
  const text = readFileSync(path, 'utf8');
  if (/TEST_DATABASE_URL|Database\.open|bin\/keyway/.test(text)) return true;
  const imports = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?'(\.{1,2}\/[^']+)\.js'/gm)];
  return imports
    .map(([, from]) => resolve(dirname(path), `${from}.ts`))
    .some((one) => one.startsWith(resolve(root, 'test')) && opensDatabase(one, seen));
}
