// The least that could answer the bench's two queries: node:http, pg, and one prepared statement that builds the JSON.
// It asks nobody who they are, checks nothing, and knows no GraphQL; its ids are the tables' own.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import pg from 'pg';

const { credentialStatus } = await import('../dist/src/credentials/record/filter.js');

const named = (table) => `json_build_object('id', ${table}.id, 'name', ${table}.name)`;
const credential = `json_build_object('id', c.id, 'name', c.name, 'status', ${credentialStatus}, 'account', ${named('a')},
  'project', CASE WHEN p.id IS NOT NULL THEN ${named('p')} END,
  'roles', coalesce((SELECT json_agg(${named('r')} ORDER BY r.name)
    FROM credential_roles cr JOIN roles r ON r.id = cr.role_id WHERE cr.credential_id = c.id), '[]'))`;
const joined = 'JOIN accounts a ON a.id = c.account_id LEFT JOIN projects p ON p.id = c.project_id';
const statements = {
  Q1: `SELECT json_build_object('data', json_build_object('node', json_build_object('credentials',
      json_build_object('nodes', coalesce(json_agg(${credential} ORDER BY c.created_at DESC, c.id DESC), '[]')))))::text AS body
    FROM (SELECT * FROM credentials WHERE project_id = $1 AND deleted_at IS NULL
      ORDER BY created_at DESC, id DESC LIMIT 50) c ${joined}`,
  Q2: `SELECT json_build_object('data', json_build_object('credential', ${credential}))::text AS body
    FROM credentials c ${joined} WHERE c.id = $1`,
};

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const server = createServer(async (req, res) => {
  const parts = [];
  for await (const part of req) parts.push(part);
  const { query, id } = JSON.parse(Buffer.concat(parts).toString());
  const { rows } = await pool.query({ name: query, text: statements[query], values: [id] });
  res.setHeader('content-type', 'application/json').end(rows[0].body);
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
