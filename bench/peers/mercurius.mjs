// Mercurius as its pages advise: loaders, JIT, the pool of pg.
import { randomBytes } from 'node:crypto';
import Fastify from 'fastify';
import mercurius from 'mercurius';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const rows = async (text, values) => (await pool.query(text, values)).rows;
const columns = `id, name, kind, status, access_key AS "accessKey", created_at AS "createdAt",
  account_id AS "accountId", project_id AS "projectId"`;
const newKey = () => `AK${randomBytes(16).toString('hex')}`;

const schema = `
  scalar DateTime
  type Account { id: Int! name: String! }
  type Project { id: Int! name: String! }
  type Role { id: Int! name: String! }
  type Credential { id: Int! name: String! kind: String! status: String! accessKey: String! createdAt: DateTime!
    account: Account! project: Project! roles: [Role!]! }
  input CreateCredentialInput { name: String! accountId: Int! projectId: Int! roleIds: [Int!]! }
  type Query { credentials(project: Int!, after: Int!, first: Int!): [Credential!]! credential(id: Int!): Credential
    credentialByAccessKey(accessKey: String!): Credential }
  type Mutation { createCredential(input: CreateCredentialInput!): Credential! rotateCredential(id: Int!): Credential! }`;

const resolvers = {
  Query: {
    credentials: (_, { project, after, first }) =>
      rows(`SELECT ${columns} FROM credential WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`, [
        project,
        after,
        Math.min(first, 100),
      ]),
    credential: async (_, { id }) => (await rows(`SELECT ${columns} FROM credential WHERE id = $1`, [id]))[0],
    credentialByAccessKey: async (_, { accessKey }) =>
      (await rows(`SELECT ${columns} FROM credential WHERE access_key = $1`, [accessKey]))[0],
  },
  Mutation: {
    createCredential: (_, { input }) => create(input),
    rotateCredential: async (_, { id }) =>
      (
        await rows(
          `UPDATE credential SET access_key = $2, updated_at = now() WHERE id = $1 RETURNING ${columns}`,
          [id, newKey()],
        )
      )[0],
  },
};

const loaders = {
  Credential: {
    account: (queries) => byId(queries, 'accountId', 'SELECT id, name FROM account WHERE id = ANY($1)'),
    project: (queries) => byId(queries, 'projectId', 'SELECT id, name FROM project WHERE id = ANY($1)'),
    async roles(queries) {
      const found = new Map(queries.map(({ obj }) => [obj.id, []]));
      const links = await rows(
        `SELECT cr.credential_id, r.id, r.name FROM credential_role cr JOIN role r ON r.id = cr.role_id
        WHERE cr.credential_id = ANY($1) ORDER BY r.id`,
        [[...found.keys()]],
      );
      for (const role of links) found.get(role.credential_id).push(role);
      return queries.map(({ obj }) => found.get(obj.id));
    },
  },
};

async function byId(queries, key, text) {
  const ids = [...new Set(queries.map(({ obj }) => obj[key]))];
  const found = new Map((await rows(text, [ids])).map((row) => [row.id, row]));
  return queries.map(({ obj }) => found.get(obj[key]));
}

async function create({ name, accountId, projectId, roleIds }) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const {
      rows: [made],
    } = await client.query(
      `INSERT INTO credential (name, account_id, project_id, access_key) VALUES ($1, $2, $3, $4) RETURNING ${columns}`,
      [name, accountId, projectId, newKey()],
    );
    await client.query('INSERT INTO credential_role (credential_id, role_id) SELECT $1, unnest($2::int[])', [
      made.id,
      roleIds,
    ]);
    await client.query('COMMIT');
    return made;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

const app = Fastify();
app.register(mercurius, { schema, resolvers, loaders, jit: 1 });
console.log(await app.listen({ port: 0, host: '127.0.0.1' }));
