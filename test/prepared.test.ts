import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from '../src/database/database.js';
import { sharedServer, type SharedServer } from './support/server.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** As the built files have them: global setup has built what is here. */
const statements = (): string[] =>
  JSON.parse(
    execFileSync(process.execPath, ['test/support/statements-of-src.mjs'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
      env: { PATH: process.env['PATH'] },
    }),
  ) as string[];

const fault = async (statement: string): Promise<string | undefined> => {
  const { text } = sql(statement);
  try {
    await server.db.transaction(async (tx) => {
      await tx.rows({ text: `PREPARE checked AS ${text}`, names: [] });
      await tx.rows({ text: 'DEALLOCATE checked', names: [] });
    });
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message : ''}: ${statement}`;
  }
};

test('every statement fits the tables as the migrations leave them', async () => {
  const all = statements();
  const written = readdirSync('src', { recursive: true })
    .map((name) => join('src', String(name)))
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readFileSync(name, 'utf8').match(/(?<!function )\bsql\(/g) ?? []);
  expect(all).toHaveLength(written.length);
  const faults: (string | undefined)[] = [];
  for (const statement of new Set(all)) faults.push(await fault(statement));
  expect(faults.filter(Boolean)).toEqual([]);
});

test('a statement that names a column which is not there is found', async () => {
  expect(await fault('SELECT renamed FROM credentials WHERE id = :id')).toContain('renamed');
});
