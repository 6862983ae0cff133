// How each contestant is asked a question, and what its answer says in words that all share.
import { idOf } from './fill-keyway.mjs';

const fields = 'id name kind status createdAt account { id name } project { id name } roles { id name }';

/** Each dialect: the path and body of a question. */
export const dialects = {
  keyway: (request, question, first) =>
    request === 'Q3'
      ? { path: '/v1/verify', body: JSON.stringify(presented(question)) }
      : graph(request, keywayTexts[request], keywayVariables[request](question, first)),
  keywayGraphql: (request, question) =>
    graph(
      request,
      'mutation Q3($input: VerifyCredentialInput!) { verifyCredential(input: $input) { valid code } }',
      { input: presented(question) },
    ),
  plainGraphql: (request, question, first) =>
    graph(request, peerTexts[request], peerVariables[request](question, first)),
  postgraphile: (request, question, first, cursor) =>
    graph(request, postgraphileTexts[request], {
      ...postgraphileVariables[request](question, first),
      ...(request === 'Q1' && { after: cursor(question.after) }),
    }),
  limit: (request, question, first) => graph(request, undefined, peerVariables[request](question, first)),
};

const graph = (operationName, query, variables) => ({
  path: '/graphql',
  body: JSON.stringify({ query, operationName, variables }),
});

const presented = ({ key }) => ({
  accessKey: key.accessKey,
  proof: { secret: key.secret },
  ip: '192.0.2.1',
});

const keywayTexts = {
  Q1: `query Q1($project: ID!, $after: String, $first: Int!) { node(id: $project) { ... on Project {
    credentials(first: $first, after: $after) { nodes { ${fields} } } } } }`,
  Q2: `query Q2($id: ID!) { credential(id: $id) { ${fields} } }`,
  M1: `mutation M1($input: CreateCredentialInput!) { createCredential(input: $input) {
    credential { ${fields} } issued { accessKey secret } } }`,
  M2: `mutation M2($input: RotateCredentialInput!) { rotateCredential(input: $input) {
    credential { ${fields} } issued { accessKey secret } } }`,
};
const keywayVariables = {
  Q1: ({ project, cursor }, first) => ({ project: idOf('Project', project), after: cursor, first }),
  Q2: ({ n }) => ({ id: idOf('Credential', n) }),
  M1: ({ name, account, project, roles }) => ({
    input: {
      name,
      account: idOf('Account', account),
      project: idOf('Project', project),
      roles: roles.map((n) => idOf('Role', n)),
      secret: { accessKey: {} },
    },
  }),
  M2: ({ key }) => ({ input: { id: key.id } }),
};

const peerTexts = {
  Q1: `query Q1($project: Int!, $after: Int!, $first: Int!) { credentials(project: $project, after: $after, first: $first) { ${fields} } }`,
  Q2: `query Q2($id: Int!) { credential(id: $id) { ${fields} } }`,
  Q3: 'query Q3($accessKey: String!) { credentialByAccessKey(accessKey: $accessKey) { id name status } }',
  M1: `mutation M1($input: CreateCredentialInput!) { createCredential(input: $input) { ${fields} } }`,
  M2: `mutation M2($id: Int!) { rotateCredential(id: $id) { ${fields} } }`,
};
const peerVariables = {
  Q1: ({ project, after }, first) => ({ project, after, first }),
  Q2: ({ n }) => ({ id: n }),
  Q3: ({ peerKey }) => ({ accessKey: peerKey }),
  M1: ({ name, account, project, roles }) => ({
    input: { name, accountId: account, projectId: project, roleIds: roles },
  }),
  M2: ({ n }) => ({ id: n }),
};

const theirFields = `id: rowId name kind status createdAt account: accountByAccountId { id: rowId name }
  project: projectByProjectId { id: rowId name } links: credentialRolesByCredentialIdList { role: roleByRoleId { id: rowId name } }`;
const postgraphileTexts = {
  Q1: `query Q1($project: Int!, $after: Cursor, $first: Int!) {
    allCredentials(condition: { projectId: $project }, orderBy: [PRIMARY_KEY_DESC], after: $after, first: $first) { nodes { ${theirFields} } } }`,
  Q2: `query Q2($id: Int!) { credential: credentialByRowId(rowId: $id) { ${theirFields} } }`,
  Q3: 'query Q3($accessKey: String!) { credentialByAccessKey(accessKey: $accessKey) { id: rowId name status } }',
  M1: `mutation M1($input: CreateCredentialWithRolesInput!) {
    createCredentialWithRoles(input: $input) { credential: result { ${theirFields} } } }`,
  M2: `mutation M2($id: Int!) { rotateCredential(input: { id: $id }) { credential: result { ${theirFields} } } }`,
};
const postgraphileVariables = { ...peerVariables, Q1: ({ project }, first) => ({ project, first }) };

/** An answer without what differs by nature: ids, the form of times, the order of roles. */
export function said(answer) {
  if (answer.errors) throw new Error(`an error: ${JSON.stringify(answer.errors).slice(0, 300)}`);
  if (!answer.data) return { valid: answer.valid, name: answer.credential?.name };
  return plain(answer.data);
}

/** The credentials in an answer, wherever they are. */
function plain(value) {
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) return value.flatMap(plain);
  if ('createdAt' in value) return [credentialOf(value)];
  if ('valid' in value) return { valid: value.valid };
  if ('name' in value && 'status' in value) return [{ name: value.name, status: value.status }];
  const parts = Object.values(value).map(plain);
  return parts.find((part) => !Array.isArray(part)) ?? parts.flat();
}

const credentialOf = ({ name, kind, status, createdAt, account, project, roles, links }) => ({
  name,
  kind,
  status,
  createdAt: new Date(createdAt).getTime(),
  account: account.name,
  project: project.name,
  roles: (roles ?? links.map(({ role }) => role)).map((role) => role.name).sort(),
});
