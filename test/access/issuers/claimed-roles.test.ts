import {
  claimsAt,
  makeSigner,
  signed,
  startIssuer,
  trusting,
  type Signer,
  type TestIssuer,
} from '../../support/issuer.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { statementsOf } from '../../support/statements.js';
import { run } from '../../support/verbs.js';

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
/** A tree, a project, and what stands beside both. */
let acme: string;
let below: string;
let project: string;
let beside: string;
let caller: string;
let reader: string;
let changing: string;

beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  server = await startTestServer(trusting(issuer.settings()));
  acme = await makeAccount(server);
  below = await makeAccount(server, { parent: acme });
  beside = await makeAccount(server);
  project = await makeProject(server, beside);
  caller = await makeAccount(server, { identities: [{ issuer: issuer.name, subject: 'ada' }] });
  reader = await makeRole(server, ['ACCOUNT_READ', 'PROJECT_READ', 'CREDENTIAL_READ']);
  changing = await makeRole(server, ['ACCOUNT_READ', 'ACCOUNT_MANAGE']);
  const homed = await makeRole(server, ['ACCOUNT_READ'], { account: acme });
  const groups = { claim: 'groups', role: reader };
  const roles = [
    { ...groups, is: 'acme', onAccount: acme },
    { ...groups, is: ['project', 'projects'], onProject: project },
    { ...groups, is: 'all', everywhere: true },
    { claim: ['realm', 'roles'], is: 'changing', role: changing, onAccount: acme },
    { ...groups, is: 'homed', role: homed, onAccount: acme },
    { claim: 'email', is: 'ada@example.com', role: reader, onAccount: acme },
    { ...groups, is: 'nowhere', onAccount: `acct_${'0'.repeat(22)}` },
    { ...groups, is: 'nowhere', onProject: `proj_${'z'.repeat(22)}` },
    { ...groups, is: 'nothing', role: `role_${'0'.repeat(22)}`, everywhere: true },
    { ...groups, is: 'beyond', role: `role_${'z'.repeat(22)}`, everywhere: true },
  ];
  server.environment['KEYWAY_JWT_ISSUERS'] = JSON.stringify([issuer.settings({ roles })]);
  await server.restart();
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

const tokenOf = (more: Record<string, unknown> = {}) =>
  signed(signer, { ...claimsAt(server.db.now(), issuer.name, 'ada'), ...more });

/** Which of the places a token with these claims, or this one, lets its bearer see. */
async function seen(more: Record<string, unknown> | string): Promise<string[]> {
  const token = typeof more === 'string' ? more : await tokenOf(more);
  const places = { acme, below, project, beside };
  const answer = await server.ask(
    'query ($ids: [ID!]!) { viewer { id } nodes(ids: $ids) { id } }',
    { ids: Object.values(places) },
    { token },
  );
  const { viewer, nodes } = expectData(answer);
  expect(viewer.id).toBe(caller);
  return Object.keys(places).filter((_, index) => nodes[index] !== null);
}

test.each<[string, Record<string, unknown>, string[]]>([
  ['no claim', {}, []],
  ['an account, and what is below', { groups: ['users', 'acme'] }, ['acme', 'below']],
  ['a claim that is one text', { groups: 'acme' }, ['acme', 'below']],
  // Whoever sees a project sees the account that it is of.
  ['a project', { groups: ['projects'] }, ['project', 'beside']],
  ['several', { groups: ['acme', 'project'] }, ['acme', 'below', 'project', 'beside']],
  ['everywhere', { groups: ['all'] }, ['acme', 'below', 'project', 'beside']],
  ['another group', { groups: ['acme-2', 'ACME'] }, []],
  ['another claim', { realm: { groups: ['acme'] }, roles: ['all'] }, []],
  ['a role that is an account’s', { groups: ['homed'] }, []],
  ['an address that is verified', { email: 'ada@example.com', email_verified: true }, ['acme', 'below']],
  ['one that is not', { email: 'ada@example.com' }, []],
  ['a place that is not there', { groups: ['nowhere'] }, []],
  ['a role that is not there, or is none', { groups: ['nothing', 'beyond'] }, []],
])('a token brings roles by its claims: %s', async (_, more, places) => {
  expect(await seen(more)).toEqual(places);
});

test('one statement finds the caller and all that it may do, with the roles of its token', async () => {
  const token = await tokenOf({ groups: ['acme', 'project'] });
  const { result, statements } = await statementsOf(server, () =>
    server.ask('{ __typename }', {}, { token }),
  );
  expectData(result);
  expect(statements.map(({ name }) => name)).toEqual(['identified-with-roles']);
});

test('they are beside those of the account, which stay as they are', async () => {
  const held = await grant(server, caller, reader, { onAccount: beside });
  expect(await seen({})).toEqual(['project', 'beside']);
  expect(await seen({ groups: ['acme'] })).toEqual(['acme', 'below', 'project', 'beside']);
  const rows = async () => server.rows('SELECT account_id, role_id, on_account_id FROM grants ORDER BY id');
  const before = await rows();
  expect(await seen({ groups: ['all'] })).toHaveLength(4);
  expect(await rows()).toEqual(before);
  expectData(await run(server, 'withdrawRole', { grant: held }));
  expect(await seen({})).toEqual([]);
});

test('S38: what a caller makes for itself does not have them', async () => {
  const creating = await makeRole(server, ['CREDENTIAL_CREATE']);
  const held = await grant(server, caller, creating, { onAccount: caller });
  const own = await makeCredential(
    server,
    caller,
    { secret: { token: {} } },
    { token: await tokenOf({ groups: ['all'] }) },
  );
  expect(await seen(String(own.secret))).toEqual([]);
  expectData(await run(server, 'withdrawRole', { grant: held }));
});

test('S23: what they allow is decided at each request', async () => {
  const token = await tokenOf({ realm: { roles: ['changing'] } });
  const rename = () => run(server, 'updateAccount', { id: below, title: unique('title') }, { token });
  expectData(await rename());
  expectData(await run(server, 'updateRole', { id: changing, permissions: ['ACCOUNT_READ'] }));
  expect((await rename()).code).toBe('FORBIDDEN');
  expect(await seen(token)).toEqual(['acme', 'below']);
  expectData(await run(server, 'deleteRole', { id: changing }));
  expect(await seen(token)).toEqual([]);
});
