import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from './make.js';
import type { SharedServer } from './server.js';

/** Public ids of one thing of each kind, all of one organization. */
export interface Tenant {
  account: string;
  accountName: string;
  subAccount: string;
  project: string;
  projectName: string;
  role: string;
  roleName: string;
  grant: string;
  credential: string;
  rotation: string;
  auditEvent: string;
}

/** An organization with a sub-account, a project, a role of its own, and a rotated credential that carries it. */
export async function makeTenant(server: SharedServer): Promise<Tenant> {
  const names = { account: unique('tenant'), project: unique('tenant'), role: unique('tenant') };
  const account = await makeAccount(server, { name: names.account });
  const subAccount = await makeAccount(server, { parent: account });
  const project = await makeProject(server, account, { name: names.project });
  const role = await makeRole(server, ['CREDENTIAL_READ'], { name: names.role, account });
  const held = await grant(server, subAccount, role, { onProject: project });
  const { id: credential } = await makeCredential(server, account, {
    owner: subAccount,
    project,
    roles: [role],
    retrievable: true,
  });
  const rotated = await server.ask(
    `mutation ($id: ID!) {
      rotateCredential(input: { id: $id, gracePeriod: "PT1H" }) {
        credential { rotation { id } auditEvents { nodes { id } } }
      }
    }`,
    { id: credential },
  );
  const { rotation, auditEvents } = expectData(rotated).rotateCredential.credential;
  return {
    account,
    accountName: names.account,
    subAccount,
    project,
    projectName: names.project,
    role,
    roleName: names.role,
    grant: held,
    credential,
    rotation: rotation.id,
    auditEvent: auditEvents.nodes[0].id,
  };
}

/** Who holds all permissions, on this tenant's organization alone. */
export const makeTenantAdmin = async (
  server: SharedServer,
  { account }: Pick<Tenant, 'account'>,
): Promise<{ id: string; token: string; credential: string }> => {
  const id = await makeCaller(server, [], {}, { parent: account });
  await grant(server, id.id, await roleNamed(server, 'KEYWAY_ADMIN'), { onAccount: account });
  return id;
};

/** The id of a role, by its name. */
export async function roleNamed(server: SharedServer, name: string): Promise<string> {
  const answer = await server.ask('query ($name: String!) { role(name: $name) { id } }', { name });
  return expectData(answer).role.id;
}
