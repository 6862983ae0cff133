// Prints, as JSON, every statement that the files of src make when they are loaded. It runs in a process of its own, on
// what is built: what `sql` is given is noted on the way, which needs a word in the built file of `sql` and none in src.
import { existsSync, readdirSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import 'reflect-metadata';

const noting = `
  export async function load(url, context, next) {
    const loaded = await next(url, context);
    if (!/\\/dist\\/src\\/.*database\\.js$/.test(url)) return loaded;
    const source = String(loaded.source);
    const noted = source.replace('export function sql(text) {', '$& globalThis.statements.push(text);');
    return { ...loaded, source: noted };
  }`;
register(`data:text/javascript,${encodeURIComponent(noting)}`);
globalThis.statements = [];

const built = (source) => join('dist', source.replace(/\.ts$/, '.js'));
for (const entry of readdirSync('src', { recursive: true }).map((name) => join('src', String(name))))
  if (entry.endsWith('.ts') && existsSync(built(entry))) await import(pathToFileURL(built(entry)).href);
process.stdout.write(JSON.stringify(globalThis.statements));
