/**
 * @embedded what is said of what a server told
 */
import { expectRights } from '../../src/database/rights.js';

const enough = {
  role: 'keyway',
  database: 'keyway',
  schema: 'public',
  tables: true,
  extension: true,
  offered: true,
  stranger: null,
};

test('a server that has only the core of PostgreSQL is told apart from a role without rights, with what to install', () => {
  expect(() => expectRights(enough)).not.toThrow();
  expect(() => expectRights({ ...enough, offered: false })).toThrow(/extension pg_trgm: install .*contrib/);
  expect(() => expectRights({ ...enough, extension: false })).toThrow(
    'GRANT CREATE ON DATABASE keyway TO keyway',
  );
});
