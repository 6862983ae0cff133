import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';

// Who may put a credential of which account into which project: an organization with a part and a part of that part, an
// organization beside it, and callers who hold the permission in one of these places.

let server: TestServer;
const accounts: Record<string, string> = {};
const projects: Record<string, string> = {};

/** Each account with those that it is part of, the nearest first. */
const above: Record<string, string[]> = {
  organization: [],
  part: ['organization'],
  'part of the part': ['part', 'organization'],
  other: [],
};
const accountNames = Object.keys(above);
const projectNames = ['organization', 'part', 'other'];
const reaches = ['everywhere', 'organization', 'part', 'other', 'project of organization', 'project of part'];

beforeAll(async () => {
  server = await startTestServer();
  for (const [name, [parent]] of Object.entries(above))
    accounts[name] = await makeAccount(server, { ...(parent !== undefined && { parent: accounts[parent] }) });
  for (const name of projectNames) projects[name] = await makeProject(server, accounts[name] ?? '');
});
afterAll(() => server.stop());

const isWithin = (account: string, ancestor: string) =>
  account === ancestor || above[account]?.includes(ancestor) === true;

const reachesAccount = (reach: string, account: string) =>
  reach === 'everywhere' || (!reach.startsWith('project of ') && isWithin(account, reach));

/** Projects go by the name of their account here. */
const reachesProject = (reach: string, project: string) =>
  reachesAccount(reach, project) || reach === `project of ${project}`;

/** Holds this permission there alone. What is to be found is shown to it everywhere. */
async function callerWith(permission: string, reach: string) {
  const place =
    reach === 'everywhere'
      ? {}
      : reach.startsWith('project of ')
        ? { onProject: projects[reach.slice('project of '.length)] ?? '' }
        : { onAccount: accounts[reach] ?? '' };
  const caller = await makeCaller(server, [permission], place);
  await grant(server, caller.id, await makeRole(server, ['ACCOUNT_READ', 'PROJECT_READ', 'CREDENTIAL_READ']));
  return { id: caller.id, token: caller.token };
}

/** What one caller may do to what comes into a project, the next one would have to be allowed too. */
const leave = async (id: string) =>
  expectData(await run(server, 'deleteAccount', { id, revokeCredentials: true }));

describe.each(reaches)('S38: who may create credentials: %s', (reach) => {
  test('makes them in projects there, of accounts there or of parts of the organization of the project', async () => {
    const { id: caller, ...options } = await callerWith('CREDENTIAL_CREATE', reach);
    const wanted: [string, string, string | undefined][] = [];
    const found: typeof wanted = [];
    for (const account of accountNames)
      for (const project of [null, ...projectNames]) {
        const isAllowed =
          project === null
            ? reachesAccount(reach, account)
            : reachesProject(reach, project) &&
              (reachesAccount(reach, account) || isWithin(account, project));
        wanted.push([account, String(project), isAllowed ? undefined : 'FORBIDDEN']);
        const input = {
          account: accounts[account],
          ...(project !== null && { project: projects[project] }),
          name: unique('placed'),
          secret: { accessKey: {} },
        };
        found.push([account, String(project), (await run(server, 'createCredential', input, options)).code]);
      }
    await leave(caller);
    expect(found).toEqual(wanted);
  });
});

describe.each(reaches)('S38: who may update credentials: %s', (reach) => {
  test('moves those of accounts there into projects there', async () => {
    const { id: caller, ...options } = await callerWith('CREDENTIAL_UPDATE', reach);
    const wanted: [string, string, string | undefined][] = [];
    const found: typeof wanted = [];
    for (const account of accountNames)
      for (const project of projectNames) {
        const isAllowed = reachesAccount(reach, account) && reachesProject(reach, project);
        wanted.push([account, project, isAllowed ? undefined : 'FORBIDDEN']);
        const { id } = await makeCredential(server, accounts[account] ?? '');
        const input = { id, project: projects[project] };
        found.push([account, project, (await run(server, 'updateCredential', input, options)).code]);
      }
    await leave(caller);
    expect(found).toEqual(wanted);
  });
});
