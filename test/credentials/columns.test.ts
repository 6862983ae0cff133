import { readFileSync } from 'node:fs';
import { buildSchema, getNamedType, isLeafType, isObjectType, type GraphQLObjectType } from 'graphql';
import { decodeId } from '../../src/inputs/decode-id.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

// Columns are read only where a document asks for what they are needed for. A field that is asked for alone shows the same.

let server: SharedServer;
let ids: string[];

beforeAll(async () => {
  server = await sharedServer();
  const account = await makeAccount(server);
  const owner = await makeCaller(server);
  const role = await makeRole(server, ['CREDENTIAL_READ'], { account, description: 'A role' });
  const rich = await makeCredential(server, account, {
    description: 'What it is for',
    category: 'test',
    fullName: 'A Person',
    email: 'person@example.com',
    allowedIps: ['192.0.2.0/24'],
    owner: owner.id,
    project: await makeProject(server, account),
    roles: [role],
    expiresAt: '2100-01-01T00:00:00Z',
    secret: { accessKey: { prefix: 'vera01ei-', scheme: 'VERACODE_HMAC_SHA_256' } },
    rotationPolicy: { every: 'P30D', gracePeriod: 'P1D' },
    rateLimit: { uses: 100, window: 'PT1M' },
    remainingUses: { count: 1000, refill: { amount: 1000, every: 'P30D' } },
  });
  const token = await makeCredential(server, account, {
    secret: { token: { permissions: ['CREDENTIAL_READ'] } },
  });
  expectData(
    await server.ask(
      'mutation ($id: ID!) { revokeCredential(input: { id: $id, reason: "over" }) { credential { id } } }',
      { id: token.id },
    ),
  );
  // What outside stores alone say.
  await server.rows(
    `UPDATE credentials SET external_id = 'outside-1', scope = 'a scope', problem = 'a problem', base_url = 'https://example.com',
      trust = '{"externalId": "1", "policy": null}', gone_at = now(), partial = true, unsaid = '{enabled}',
      mfa_authenticated = true WHERE id = :id RETURNING id`,
    { id: decodeId('Credential', token.id, 'id') },
  );
  await server.rows(
    'UPDATE credential_uses SET last_used_at = now() WHERE credential_id = :id RETURNING credential_id',
    {
      id: decodeId('Credential', rich.id, 'id'),
    },
  );
  ids = [rich.id, token.id, role];
});
const types = buildSchema(readFileSync('schema.graphql', 'utf8')).getTypeMap();

/** A field without arguments that must be given, with the leaves below it. */
function selections(type: GraphQLObjectType): string[] {
  return Object.values(type.getFields()).flatMap((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return [field.name];
    if (!isObjectType(inner)) return [];
    const leaves = Object.values(inner.getFields()).filter(({ type: leaf }) =>
      isLeafType(getNamedType(leaf)),
    );
    return [`${field.name} { __typename ${leaves.map(({ name }) => name).join(' ')} }`];
  });
}

/** What none of the things of this test has. */
const empty: Record<string, string[]> = {
  Credential: ['deletedAt', 'parent', 'provider', 'rotation'],
  Role: ['store'],
};

test.each(['Credential', 'Role'])(
  'each field of %s shows alone what it shows among all others',
  async (name) => {
    const type = types[name];
    if (!isObjectType(type)) throw new Error(`${name} is no object type`);
    const ask = async (fields: string[]) =>
      expectData(
        await server.ask(
          `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ${name} { ${fields.join(' ')} } } }`,
          {
            ids,
          },
        ),
      ).nodes as Record<string, unknown>[];
    const all = await ask(selections(type));
    const differing: string[] = [];
    for (const selection of selections(type)) {
      const field = selection.split(' ')[0] ?? '';
      // When the built-in store was asked: now.
      if (field === 'observedAt') continue;
      const alone = await ask([selection]);
      alone.forEach((node, index) => {
        if (JSON.stringify(node[field]) !== JSON.stringify(all[index]?.[field])) differing.push(field);
      });
    }
    expect(differing).toEqual([]);
    // Each was there to be left out.
    const nodes = all.filter((node) => Object.keys(node).length > 0);
    const shown = new Set(nodes.flatMap((node) => Object.keys(node).filter((field) => node[field] !== null)));
    expect(
      Object.keys(nodes[0] ?? {})
        .filter((field) => !shown.has(field))
        .sort(),
    ).toEqual(empty[name]);
  },
);
