import { anyOfIds } from '../../src/database/among.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { unique } from '../support/make.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** Runs a statement seven times, each for one id. @returns for how many of them it was planned. */
async function plannedFor(among: string): Promise<number> {
  const id = '00000000-0000-7000-8000-000000000000';
  const label = unique('planned');
  // A table of some size, whatever else is in the database.
  const text = `SELECT '${label}' FROM pg_proc p WHERE CAST(md5(CAST(p.oid AS text)) AS uuid) = ${among}`;
  // Prepared in any case: the server names its first few hundred statements alone, and files before may have had them.
  const statement = { ...server.db.statement(label, () => text), name: label };
  return server.db.transaction(async (tx) => {
    for (let run = 0; run < 7; run++) await tx.rows(statement, { ids: [id] });
    const kept = server.db.statement(`${label} kept`, () => keptPlans);
    const [plans] = await tx.rows<{ custom: number; generic: number }>(kept, { label });
    expect(plans && plans.custom + plans.generic).toBe(7);
    return plans?.custom ?? 0;
  });
}
const keptPlans = `
  SELECT custom_plans::integer AS custom, generic_plans::integer AS generic FROM pg_prepared_statements
  WHERE statement LIKE '%' || CAST(:label AS text) || '%' AND statement LIKE '%FROM pg_proc p%'`;

test('a statement for some ids is planned five times, and not for each run as where they are given outright', async () => {
  expect(await plannedFor('ANY(CAST(:ids AS uuid[]))')).toBe(7);
  expect(await plannedFor(anyOfIds)).toBe(5);
});
