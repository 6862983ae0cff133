// All that the bed knows of Keyway's tables: how they are filled, and the ids of what is in them.
import pg from 'pg';
import { accounts, createdMs, made, projectsOf, roles } from './world.mjs';

const { encodeId } = await import('../dist/src/ids.js');

const prefixes = { Account: '0000aaaa', Project: '0000bbbb', Role: '0000cccc' };

/** The public id of the n-th account, project, role or credential: known without asking. */
export const idOf = (type, n) =>
  encodeId(type, type === 'Credential' ? credentialUuid(n) : uuid(prefixes[type], n));

/** Fills an empty database that Keyway has started on once, by one INSERT … SELECT a table. */
export async function fillKeyway(url, credentials) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off");
    // Every row is right by construction: looking up its foreign keys would take longer than the rest.
    await client.query('SET session_replication_role = replica');
    for (const statement of small(credentials)) await client.query(statement);
    const large = largeOf(credentials);
    const indexes = await indexesOf(client, Object.keys(large));
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
    for (const statement of Object.values(large)) await client.query(statement);
    for (const { definition } of indexes) await client.query(definition);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

const small = (credentials) => [
  `INSERT INTO accounts (id, kind, name, title)
    SELECT ${sqlUuid('Account', 'n')}, 'SERVICE', 'account-' || n, 'Account ' || n FROM generate_series(1, ${accounts}) n`,
  // An account that Keyway has made has a chain in the audit log.
  `INSERT INTO audit_heads (account_id, number, epoch, hash)
    SELECT ${sqlUuid('Account', 'n')}, 0, (SELECT min(epoch) FROM audit_heads), decode(repeat('00', 32), 'hex')
    FROM generate_series(1, ${accounts}) n`,
  `INSERT INTO projects (id, account_id, name, title)
    SELECT ${sqlUuid('Project', 'n')}, ${sqlUuid('Account', 'n')}, 'project-' || n, 'Project ' || n
    FROM generate_series(1, ${projectsOf(credentials)}) n`,
  `INSERT INTO roles (id, name, description, permissions)
    SELECT ${sqlUuid('Role', 'n')}, 'role-' || n, 'Role ' || n, '{}' FROM generate_series(1, ${roles}) n`,
];

// What is asked for by its secret is made through Keyway (known.mjs). These rows have verifiers that nothing fits.
const largeOf = (credentials) => {
  const series = `generate_series(1, ${credentials}) n`;
  return {
    credentials: `INSERT INTO credentials (id, store_id, account_id, project_id, kind, name, description, access_key,
        created_at, updated_at)
      SELECT ${sqlCredentialUuid('n')}, (SELECT id FROM stores WHERE kind = 'BUILT_IN'),
        ${sqlUuid('Account', made.account('n'))}, ${sqlUuid('Project', made.project('n', credentials))},
        'ACCESS_KEY', 'credential ' || n, 'access for service ' || n,
        'KW' || translate(upper(substr(md5('key' || n), 1, 18)), '0189', 'WXYZ'),
        ${made.createdAt('n')}, ${made.createdAt('n')}
      FROM ${series}`,
    credential_uses: `INSERT INTO credential_uses (credential_id, last_used_at, unused_since)
      SELECT ${sqlCredentialUuid('n')}, '-infinity', ${made.createdAt('n')} FROM ${series}`,
    credential_roles: `INSERT INTO credential_roles (credential_id, role_id)
      SELECT ${sqlCredentialUuid('n')}, ${sqlUuid('Role', `CASE k WHEN 1 THEN ${made.role('n', 1)} ELSE ${made.role('n', 2)} END`)}
      FROM ${series}, generate_series(1, 2) k`,
    credential_versions: `INSERT INTO credential_versions (credential_id, number, state, created_at, verifier, verifier_key_id)
      SELECT ${sqlCredentialUuid('n')}, 1, 'CURRENT', ${made.createdAt('n')},
        decode(md5(n::text) || md5('v' || n), 'hex'), 'bench'
      FROM ${series}`,
  };
};

/** The indexes of the large tables, apart from those of constraints: they are made afresh once the rows are there. */
async function indexesOf(client, tables) {
  const { rows } = await client.query(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = ANY($1)
      AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname) ORDER BY indexname`,
    [tables],
  );
  return rows;
}

const hex = (n) => n.toString(16).padStart(12, '0');
const uuid = (prefix, n) => `${prefix}-0000-7000-8000-${hex(n)}`;
const sqlUuid = (type, n) => `('${prefixes[type]}-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

// Ids of credentials begin with the time, as Keyway's own do, so that they lie in its order.
const credentialUuid = (n) => `${hex(createdMs(n)).replace(/.{8}/, '$&-')}-7000-8000-${hex(n)}`;
const sqlCredentialUuid = (n) =>
  `(lpad(to_hex((extract(epoch FROM ${made.createdAt(n)}) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(${n}), 12, '0'))::uuid`;
