// Compiles and starts the server beside it, whose decorators Node does not know. It lands in dist/, from where it finds
// Keyway's packages and not those of the peers.
import { transformFileSync } from '@swc/core';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = new URL('../../dist/bench/plain/', import.meta.url);
mkdirSync(target, { recursive: true });
for (const name of ['tables', 'loaders', 'server']) {
  const { code } = transformFileSync(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), {
    root,
    cwd: root,
  });
  writeFileSync(new URL(`${name}.js`, target), code);
}
await import(new URL('server.js', target).href);
