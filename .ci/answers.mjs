// Succeeds if a PostgreSQL answers at the address, and lets databases be made.
import pg from 'pg';

const client = new pg.Client({ connectionString: process.argv[2], connectionTimeoutMillis: 3000 });
try {
  await client.connect();
  const { rows } = await client.query('SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user');
  await client.end();
  process.exit(rows[0]?.rolcreatedb ? 0 : 1);
} catch {
  process.exit(1);
}
