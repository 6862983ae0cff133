import { randomBytes } from 'node:crypto';
import type { AskOptions, Door } from './server.js';

const file = randomBytes(4).toString('hex');
let count = 0;
/** A name that no other test has, nor a test of another file. */
export const unique = (start: string): string => `${start}-${file}-${++count}`;

/** Makes an account and returns its id. */
export async function makeAccount(
  server: Door,
  input: Record<string, unknown> = {},
  options?: AskOptions,
): Promise<string> {
  const answer = await server.ask(
    'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }',
    { input: { kind: 'ORGANIZATION', name: unique('account'), title: 'An account', ...input } },
    options,
  );
  return expectData(answer).createAccount.account.id;
}

/** Makes a project and returns its id. */
export async function makeProject(
  server: Door,
  account: string,
  input: Record<string, unknown> = {},
): Promise<string> {
  const answer = await server.ask(
    'mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }',
    { input: { account, name: unique('project'), ...input } },
  );
  return expectData(answer).createProject.project.id;
}

/** Makes a role and returns its id. */
export async function makeRole(
  server: Door,
  permissions: string[],
  input: Record<string, unknown> = {},
): Promise<string> {
  const answer = await server.ask(
    'mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }',
    { input: { name: unique('role'), permissions, ...input } },
  );
  return expectData(answer).createRole.role.id;
}

/** Grants a role and returns the grant's id. */
export async function grant(
  server: Door,
  account: string,
  role: string,
  place: { onAccount?: string; onProject?: string } = {},
): Promise<string> {
  const answer = await server.ask(
    'mutation ($input: GrantRoleInput!) { grantRole(input: $input) { grant { id } } }',
    { input: { account, role, ...place } },
  );
  return expectData(answer).grantRole.grant.id;
}

export interface Made {
  id: string;
  accessKey: string | null;
  secret: string | null;
}

/** Makes a credential, an access key where `input.secret` says nothing else. */
export async function makeCredential(
  server: Door,
  account: string,
  input: Record<string, unknown> = {},
  options?: AskOptions,
): Promise<Made> {
  const answer = await server.ask(
    `mutation ($input: CreateCredentialInput!) {
      createCredential(input: $input) { credential { id } issued { accessKey secret } }
    }`,
    { input: { account, name: unique('credential'), secret: { accessKey: {} }, ...input } },
    options,
  );
  const { credential, issued } = expectData(answer).createCredential;
  return { id: credential.id, accessKey: issued.accessKey, secret: issued.secret };
}

/** A caller: an account with a token, and with these permissions at that place. */
export async function makeCaller(
  server: Door,
  permissions: string[] = [],
  place: { onAccount?: string; onProject?: string } = {},
  input: Record<string, unknown> = {},
): Promise<{ id: string; token: string; credential: string }> {
  const id = await makeAccount(server, { kind: 'PERSON', name: unique('caller'), ...input });
  if (permissions.length > 0) await grant(server, id, await makeRole(server, permissions), place);
  const made = await makeCredential(server, id, { secret: { token: {} } });
  if (made.secret === null) throw new Error('the token was not shown');
  return { id, token: made.secret, credential: made.id };
}

/** The data of an answer without errors. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function expectData(answer: { data: any; errors: unknown[]; failure?: string | undefined }): any {
  if (answer.errors.length > 0)
    throw new Error(`unexpected errors: ${JSON.stringify(answer.errors)} ${answer.failure ?? ''}`);
  return answer.data;
}
