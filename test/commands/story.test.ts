/** @embedded the command line */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyway } from '../support/command-line.js';
import { unique } from '../support/make.js';
import { blocks, section } from '../support/pages.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { startVeracode, type Veracode } from '../upstreams/veracode.js';

let server: SharedServer;
let veracode: Veracode;
let folder: string;
beforeAll(async () => {
  server = await sharedServer();
  veracode = await startVeracode();
  folder = mkdtempSync(join(tmpdir(), 'keyway-story-'));
});
afterAll(async () => {
  await veracode?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the five commands of the page connect a store, find what expires, rotate it and show whether the old one is used', async () => {
  const user = veracode.addUser({ user_name: unique('pipeline'), roles: [], permissions: [] });
  const pair = veracode.addPair(user.user_id);
  pair.expiresMs = Date.now() + 20 * 86_400_000;
  // What is the reader's own on the page.
  const own = [
    ['https://keyway.example.com', server.url],
    ['connect veracode', `connect ${unique('veracode')}`],
    ['https://api.veracode.eu', veracode.url],
    ['a1b2c3', veracode.admin.apiId],
    ['pipeline@example.com', user.user_name],
  ] as const;
  const [block = ''] = blocks('text', section('docs/cli.md', 'In five commands'));
  const lines = block.trim().split('\n');
  expect(lines).toHaveLength(5);
  const told: string[] = [];
  for (const [at, line] of lines.entries()) {
    const words = own.reduce((text, [theirs, ours]) => text.replace(theirs, ours), line).split(' ');
    const typed = [`${server.adminToken}\n`, `${veracode.admin.apiKey}\n`][at] ?? '';
    const { code, out, err } = await keyway(words.slice(1), { folder, stdin: typed });
    expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
    told.push(out);
  }
  const [, , found = '', rotated = '', shown = ''] = told;
  expect(found).toContain(user.user_name);
  expect(rotated).toMatch(/^SECRET\s+\S{20,}$/m);
  expect(shown).toMatch(/^VERSIONS +number 2, state CURRENT.*\n +number 1, state RETIRED/m);
  expect(veracode.accepts(pair.apiId, pair.apiKey)).toBe(false);
});
