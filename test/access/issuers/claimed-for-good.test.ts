import { Permission } from '../../../src/access/principal.js';
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
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
} from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { startVeracode, type Veracode } from '../../upstreams/veracode.js';
import { makeStore } from '../../stores/stores.js';

// What a token brings is gone with it: nobody turns it into something that stays.

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
let veracode: Veracode;
let organization: string;
let elsewhere: string;
let project: string;
let deploying: string;
/** Who calls, and somebody else in the same organization. */
let ada: string;
let bob: string;

const { CREDENTIAL_READ, CREDENTIAL_UPDATE, CREDENTIAL_REVEAL, ACCOUNT_READ, ACCOUNT_MANAGE } = Permission;

beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  veracode = await startVeracode();
  server = await startTestServer(trusting(issuer.settings()));
  organization = await makeAccount(server);
  elsewhere = await makeAccount(server);
  project = await makeProject(server, elsewhere);
  ada = await makeAccount(server, {
    parent: organization,
    identities: [{ issuer: issuer.name, subject: 'ada' }],
  });
  bob = await makeAccount(server, { parent: organization });
  deploying = await makeRole(server, []);
  const everything = await makeRole(server, Object.values(Permission));
  const revealing = await makeRole(server, [CREDENTIAL_REVEAL]);
  const roles = [
    { claim: 'groups', is: 'all', role: everything, onAccount: organization },
    { claim: 'groups', is: 'all', role: deploying, onAccount: organization },
    { claim: 'groups', is: 'revealers', role: revealing, onProject: project },
    { claim: 'groups', is: 'anywhere', role: revealing, everywhere: true },
  ];
  server.environment['KEYWAY_JWT_ISSUERS'] = JSON.stringify([issuer.settings({ roles })]);
  await server.restart();
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
  await veracode.stop();
});

const as = async (...groups: string[]) => ({
  token: await signed(signer, { ...claimsAt(server.db.now(), issuer.name, 'ada'), groups }),
});
/** The codes of what is done for the caller's own account, and for another. */
async function codes(verb: string, inputFor: (account: string) => Record<string, unknown>) {
  const own = await run(server, verb, inputFor(ada), await as('all'));
  const others = await run(server, verb, inputFor(bob), await as('all'));
  return [own.code, others.code];
}
const forOthersAlone = ['FORBIDDEN', undefined];

test('S38: nothing is moved to where the caller may do more by what its token brings, nor others by theirs', async () => {
  const mover = await makeRole(server, [CREDENTIAL_READ, CREDENTIAL_UPDATE]);
  const held = await grant(server, ada, mover, { onAccount: elsewhere });
  const { id } = await makeCredential(server, elsewhere, { retrievable: true });
  const move = async (options: { token: string }) =>
    (await run(server, 'updateCredential', { id, project }, options)).code;
  expect(await move(await as('revealers'))).toBe('FORBIDDEN');
  expect(await move(await as())).toBe('FORBIDDEN');
  // Who has the role everywhere gains nothing.
  expect(await move(await as('anywhere'))).toBeUndefined();
  expectData(await run(server, 'withdrawRole', { grant: held }));
});

test('S38: who may do as much there already moves it', async () => {
  const { id } = await makeCredential(server, elsewhere);
  const keeper = await makeCaller(server, [CREDENTIAL_READ, CREDENTIAL_UPDATE, CREDENTIAL_REVEAL], {
    onAccount: elsewhere,
  });
  expectData(await run(server, 'updateCredential', { id, project }, { token: keeper.token }));
});

test('S38: a caller grants its own account nothing by what its token brings', async () => {
  const role = await makeRole(server, [ACCOUNT_READ], { account: organization });
  const granting = (account: string) => ({ account, role, onAccount: organization });
  expect(await codes('grantRole', granting)).toEqual(forOthersAlone);
  // Managing roles for good is not enough: what is given is to be held for good as well.
  const managing = await makeRole(server, ['ROLE_MANAGE', 'ROLE_GIVE']);
  const held = await grant(server, ada, managing, { onAccount: organization });
  expect((await run(server, 'grantRole', granting(ada), await as('all'))).code).toBe('FORBIDDEN');
  expectData(await run(server, 'withdrawRole', { grant: held }));
});

test('S38: a role that the caller has for good gets no permission that its token brings', async () => {
  const of = async (account: string) => {
    const id = await makeRole(server, [ACCOUNT_READ], { account: organization });
    await grant(server, account, id, { onAccount: organization });
    return { id, permissions: [ACCOUNT_READ, ACCOUNT_MANAGE] };
  };
  const [own, others] = [await of(ada), await of(bob)];
  expect(await codes('updateRole', (account) => (account === ada ? own : others))).toEqual(forOthersAlone);
});

test('S38: no key of the caller’s carries a role that its token brings', async () => {
  const input = { name: 'key', secret: { accessKey: {} }, roles: [deploying] };
  expect(await codes('createCredential', (account) => ({ ...input, account }))).toEqual(forOthersAlone);
  const owned = (owner: string) => ({ ...input, account: organization, owner });
  expect(await codes('createCredential', owned)).toEqual(forOthersAlone);
  const made = {
    [ada]: (await makeCredential(server, ada)).id,
    [bob]: (await makeCredential(server, bob)).id,
  };
  expect(await codes('updateCredential', (account) => ({ id: made[account], roles: [deploying] }))).toEqual(
    forOthersAlone,
  );
  // What the account holds itself, it gives to its keys.
  const held = await grant(server, ada, deploying, { onAccount: organization });
  expect(await codes('createCredential', (account) => ({ ...input, account }))).toEqual([
    undefined,
    undefined,
  ]);
  expectData(await run(server, 'withdrawRole', { grant: held }));
});

test('S38: nobody becomes the owner of a credential by what a token brings', async () => {
  const { id } = await makeCredential(server, organization);
  expect(await codes('updateCredential', (owner) => ({ id, owner }))).toEqual(forOthersAlone);
});

test('S38: nor takes over those of an account', async () => {
  const part = await makeAccount(server, { parent: organization });
  await makeCredential(server, part);
  expect(await codes('deleteAccount', (transferTo) => ({ id: part, transferTo }))).toEqual(forOthersAlone);
});

test('S38: nor gets a scope of a store', async () => {
  const { apiId, apiKey } = veracode.admin;
  const store = await makeStore(server, organization, {
    veracode: { endpoint: veracode.url, apiId, apiKey },
  });
  const scope = veracode.addUser().user_id;
  expect(await codes('grantScope', (account) => ({ store, account, scope }))).toEqual(forOthersAlone);
});
