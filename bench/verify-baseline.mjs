// The least that could verify: node:http, pg, and the very statement that Keyway verifies with. It asks nobody who they
// are, compares no secret, notes no use and records nothing.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import pg from 'pg';

const { sql } = await import('../dist/src/database/database.js');
const { askedFor, presentedBy } = await import('../dist/src/access/presented-key.js');
const { columns } = await import('../dist/src/verification/presented.js');

const { text } = sql(presentedBy('true', columns));
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const server = createServer(async (req, res) => {
  const parts = [];
  for await (const part of req) parts.push(part);
  const { accessKey } = JSON.parse(Buffer.concat(parts).toString());
  const { rows } = await pool.query({
    name: 'verify',
    text,
    values: Object.values(askedFor([{ key: accessKey }])),
  });
  const [{ id, fault, name, roles }] = rows;
  res
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ valid: fault === null, code: fault ?? 'VALID', credential: { id, name, roles } }));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
