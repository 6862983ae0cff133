// The limit: node:http, pg, and one prepared statement a request, in which PostgreSQL builds the JSON. It asks nobody
// who they are, checks nothing, and knows no GraphQL.
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';

const named = (table) => `json_build_object('id', ${table}.id, 'name', ${table}.name)`;
const rolesFrom = (from) =>
  `coalesce((SELECT json_agg(${named('r')} ORDER BY r.id) FROM ${from} JOIN role r ON r.id = cr.role_id), '[]')`;
const linked = '(SELECT role_id FROM credential_role WHERE credential_id = c.id) cr';
const credential = (
  links,
) => `json_build_object('id', c.id, 'name', c.name, 'kind', c.kind, 'status', c.status,
  'createdAt', c.created_at, 'account', ${named('a')}, 'project', ${named('p')}, 'roles', ${rolesFrom(links)})`;
const joined = 'JOIN account a ON a.id = c.account_id JOIN project p ON p.id = c.project_id';
const answer = (field, value) =>
  `SELECT json_build_object('data', json_build_object('${field}', ${value}))::text AS body`;

const statements = {
  Q1: `${answer('credentials', `coalesce(json_agg(${credential(linked)} ORDER BY c.id DESC), '[]')`)}
    FROM (SELECT * FROM credential WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3) c ${joined}`,
  Q2: `${answer('credential', credential(linked))} FROM credential c ${joined} WHERE c.id = $1`,
  Q3: `${answer('credentialByAccessKey', `json_build_object('id', id, 'name', name, 'status', status)`)}
    FROM credential WHERE access_key = $1`,
  M1: `WITH c AS (INSERT INTO credential (name, account_id, project_id, access_key) VALUES ($1, $2, $3, $5) RETURNING *),
      cr AS (INSERT INTO credential_role SELECT c.id, unnest($4::int[]) FROM c RETURNING role_id)
    ${answer('createCredential', credential('cr'))} FROM c ${joined}`,
  M2: `WITH c AS (UPDATE credential SET access_key = $2, updated_at = now() WHERE id = $1 RETURNING *)
    ${answer('rotateCredential', credential(linked))} FROM c ${joined}`,
};
const newKey = () => `AK${randomBytes(16).toString('hex')}`;
const values = {
  Q1: ({ project, after, first }) => [project, after, first],
  Q2: ({ id }) => [id],
  Q3: ({ accessKey }) => [accessKey],
  M1: ({ input }) => [input.name, input.accountId, input.projectId, input.roleIds, newKey()],
  M2: ({ id }) => [id, newKey()],
};

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const server = createServer(async (req, res) => {
  try {
    const parts = [];
    for await (const part of req) parts.push(part);
    const { operationName: name, variables } = JSON.parse(Buffer.concat(parts).toString());
    const { rows } = await pool.query({ name, text: statements[name], values: values[name](variables) });
    res.setHeader('content-type', 'application/json').end(rows[0].body);
  } catch (error) {
    res.writeHead(500).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
