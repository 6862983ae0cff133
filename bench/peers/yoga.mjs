// GraphQL Yoga with Pothos, its DataLoader plugin, and Kysely, as their pages advise.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import SchemaBuilder from '@pothos/core';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import { createYoga } from 'graphql-yoga';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
const builder = new SchemaBuilder({ plugins: [DataloaderPlugin] });
const newKey = () => `AK${randomBytes(16).toString('hex')}`;

builder.scalarType('DateTime', { serialize: (value) => value.toISOString() });

const named = (type, table) =>
  builder.loadableObject(type, {
    load: async (ids) => {
      const rows = await db.selectFrom(table).selectAll().where('id', 'in', ids).execute();
      const found = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => found.get(id) ?? new Error(`no ${table} ${id}`));
    },
    fields: (t) => ({ id: t.exposeInt('id'), name: t.exposeString('name') }),
  });
const Account = named('Account', 'account');
const Project = named('Project', 'project');
const Role = named('Role', 'role');

const Credential = builder.objectRef('Credential').implement({
  fields: (t) => ({
    id: t.exposeInt('id'),
    name: t.exposeString('name'),
    kind: t.exposeString('kind'),
    status: t.exposeString('status'),
    accessKey: t.exposeString('access_key'),
    createdAt: t.field({ type: 'DateTime', resolve: ({ created_at }) => created_at }),
    account: t.field({ type: Account, resolve: ({ account_id }) => account_id }),
    project: t.field({ type: Project, resolve: ({ project_id }) => project_id }),
    roles: t.loadableGroup({
      type: Role,
      resolve: ({ id }) => id,
      group: ({ credential_id }) => credential_id,
      load: (ids) =>
        db
          .selectFrom('credential_role as cr')
          .innerJoin('role as r', 'r.id', 'cr.role_id')
          .select(['cr.credential_id', 'r.id', 'r.name'])
          .where('cr.credential_id', 'in', ids)
          .orderBy('r.id')
          .execute(),
    }),
  }),
});

const credentials = () => db.selectFrom('credential').selectAll();
const required = (arg, kind) => arg[kind]({ required: true });
builder.queryType({
  fields: (t) => ({
    credentials: t.field({
      type: [Credential],
      args: {
        project: required(t.arg, 'int'),
        after: required(t.arg, 'int'),
        first: required(t.arg, 'int'),
      },
      resolve: (_, { project, after, first }) =>
        credentials()
          .where('project_id', '=', project)
          .where('id', '<', after)
          .orderBy('id', 'desc')
          .limit(Math.min(first, 100))
          .execute(),
    }),
    credential: t.field({
      type: Credential,
      nullable: true,
      args: { id: required(t.arg, 'int') },
      resolve: (_, { id }) => credentials().where('id', '=', id).executeTakeFirst(),
    }),
    credentialByAccessKey: t.field({
      type: Credential,
      nullable: true,
      args: { accessKey: required(t.arg, 'string') },
      resolve: (_, { accessKey }) => credentials().where('access_key', '=', accessKey).executeTakeFirst(),
    }),
  }),
});

const CreateCredentialInput = builder.inputType('CreateCredentialInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    accountId: t.int({ required: true }),
    projectId: t.int({ required: true }),
    roleIds: t.intList({ required: true }),
  }),
});
builder.mutationType({
  fields: (t) => ({
    createCredential: t.field({
      type: Credential,
      args: { input: t.arg({ type: CreateCredentialInput, required: true }) },
      resolve: (_, { input }) => create(input),
    }),
    rotateCredential: t.field({
      type: Credential,
      args: { id: required(t.arg, 'int') },
      resolve: (_, { id }) =>
        db
          .updateTable('credential')
          .set({ access_key: newKey(), updated_at: new Date() })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow(),
    }),
  }),
});

const create = ({ name, accountId, projectId, roleIds }) =>
  db.transaction().execute(async (tx) => {
    const made = await tx
      .insertInto('credential')
      .values({ name, account_id: accountId, project_id: projectId, access_key: newKey() })
      .returningAll()
      .executeTakeFirstOrThrow();
    await tx
      .insertInto('credential_role')
      .values(roleIds.map((role_id) => ({ credential_id: made.id, role_id })))
      .execute();
    return made;
  });

const yoga = createYoga({ schema: builder.toSchema(), graphiql: false, logging: false, context: () => ({}) });
const server = createServer(yoga);
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
