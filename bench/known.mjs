// What the bed makes through Keyway itself: credentials whose secrets are known, a reader of one project, and places in
// lists to go on from.
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { idOf } from './fill-keyway.mjs';
import { accounts, anyOf, projectsOf, roles } from './world.mjs';

/** What is known of a filled Keyway at `url`: made on the first time, and kept beside its keys. */
export async function knownOf(url, dataDir, credentials) {
  const path = join(dataDir, 'known.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  const ask = (query, variables) => asked(`${url}/graphql`, token, query, variables);
  const count = 2 * Math.max(200, Math.min(2_000, Math.floor(credentials / 20)));
  const known = {
    token,
    reader: await makeReader(ask),
    places: await placesOf(ask, projectsOf(credentials)),
    keys: await inParts(count, (n) => makeKey(ask, n, credentials)),
  };
  writeFileSync(path, JSON.stringify(known), { mode: 0o600 });
  return known;
}

async function makeKey(ask, n, credentials) {
  const role = anyOf(roles - 1);
  const input = {
    account: idOf('Account', anyOf(accounts)),
    project: idOf('Project', anyOf(projectsOf(credentials))),
    name: `known ${n}`,
    roles: [idOf('Role', role), idOf('Role', role + 1)],
    secret: { accessKey: {} },
  };
  const { createCredential } = await ask(
    'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { credential { id } issued { accessKey secret } } }',
    { input },
  );
  return { id: createCredential.credential.id, name: input.name, ...createCredential.issued };
}

/** A token of an account that may read project 1 and nothing else. */
async function makeReader(ask) {
  const { createAccount } = await ask(
    'mutation { createAccount(input: { kind: PERSON, name: "bench-reader", title: "Reader" }) { account { id } } }',
  );
  const account = createAccount.account.id;
  const { role } = await ask('{ role(name: "KEYWAY_READER") { id } }');
  await ask('mutation ($input: GrantRoleInput!) { grantRole(input: $input) { grant { id } } }', {
    input: { account, role: role.id, onProject: idOf('Project', 1) },
  });
  const { createCredential } = await ask(
    'mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { issued { secret } } }',
    { input: { account, name: 'reader', secret: { token: {} } } },
  );
  return createCredential.issued.secret;
}

/** Places in the lists of projects: the cursor, and the number of the credential that it stands for. */
async function placesOf(ask, projects) {
  const query = `query ($id: ID!) { node(id: $id) { ... on Project {
    credentials(first: 100) { edges { cursor node { name } } } } } }`;
  const found = await inParts(projects, async (project) => {
    const { node } = await ask(query, { id: idOf('Project', project) });
    const { edges } = node.credentials;
    return [9, 44, 74, 99]
      .filter((at) => edges[at])
      .map((at) => ({ project, cursor: edges[at].cursor, after: Number(edges[at].node.name.split(' ')[1]) }));
  });
  return found.flat();
}

/** `one(1)` … `one(count)`, sixteen at a time. */
async function inParts(count, one) {
  const all = [];
  while (all.length < count) {
    const size = Math.min(16, count - all.length);
    const begun = all.length;
    all.push(...(await Promise.all(Array.from({ length: size }, (_, at) => one(begun + at + 1)))));
  }
  return all;
}

async function asked(url, token, query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`Keyway answered ${errors[0].message} while the bed was made`);
  return data;
}
