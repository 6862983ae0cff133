import { claimsAt, makeSigner, signed, startIssuer, trusting } from '../support/issuer.js';
import { makeAccount, makeCaller, makeRole, unique } from '../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../support/server.js';

/** What came back. The body is left loose: each test knows what it asked for. */
export interface ScimAnswer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

/** An identity provider, as Keyway meets it. */
export interface Provider {
  /** The account that its people are part of, and the one that it calls as. */
  readonly parent: string;
  readonly client: string;
  /** Asks for something below `/scim/v2`. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ScimAnswer>;
  /** Makes a user with these attributes besides what it needs, and returns it. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  makeUser(more?: Record<string, unknown>): Promise<any>;
  /** Asks the graph as the person who is this subject. */
  askAs(subject: string, query?: string): Promise<Answer>;
}

/** A Keyway with two directories of two tenants, and what the setting says of them. */
export interface Directories {
  readonly server: TestServer;
  readonly acme: Provider;
  readonly other: Provider;
  /** Who gets what Acme's people leave. */
  readonly heir: string;
  /** What Acme's group Operators brings on the account of Acme. */
  readonly role: string;
  /** Starts the server again, with these members of Acme's directory otherwise. */
  set(more: Record<string, unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** What a client must hold to take people away and hand over what they have. */
export const needed = ['ACCOUNT_MANAGE', 'CREDENTIAL_READ', 'CREDENTIAL_ROTATE', 'CREDENTIAL_REVOKE'];

export async function startDirectories(): Promise<Directories> {
  const signer = await makeSigner();
  const issuer = await startIssuer(signer);
  const server = await startTestServer(trusting(issuer.settings()));
  const role = await makeRole(server, ['ACCOUNT_READ', 'CREDENTIAL_READ']);
  const tenants: { parent: string; client: string; token: string }[] = [];
  for (let made = 0; made < 2; made++) {
    const parent = await makeAccount(server);
    const { id: client, token } = await makeCaller(
      server,
      needed,
      { onAccount: parent },
      { kind: 'SERVICE' },
    );
    tenants.push({ parent, client, token });
  }
  const [one, two] = tenants;
  if (!one || !two) throw new Error('two tenants were made');
  const heir = await makeAccount(server, { parent: one.parent });
  const setting = (more: Record<string, unknown> = {}) =>
    JSON.stringify([
      {
        client: one.client,
        parent: one.parent,
        issuer: issuer.name,
        heir,
        roles: [{ group: 'Operators', role, onAccount: one.parent }],
        ...more,
      },
      { client: two.client, parent: two.parent, issuer: issuer.name, subject: 'userName' },
    ]);
  server.environment['KEYWAY_SCIM'] = setting();
  await server.restart();

  const provider = ({ parent, client, token }: (typeof tenants)[number]): Provider => {
    const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      askScim(server, token, method, path, body, headers);
    return {
      parent,
      client,
      ask,
      makeUser: async (more = {}) => {
        const userName = `${unique('ada')}@example.com`;
        const body = { schemas: [userSchema], userName, externalId: unique('oid'), active: true, ...more };
        const answer = await ask('POST', '/Users', body);
        if (answer.status !== 201) throw new Error(`no user was made: ${answer.text}`);
        return answer.body as unknown;
      },
      askAs: async (subject, query = '{ viewer { id } }') =>
        server.ask(
          query,
          {},
          {
            token: await signed(signer, claimsAt(server.db.now(), issuer.name, subject)),
          },
        ),
    };
  };
  return {
    server,
    acme: provider(one),
    other: provider(two),
    heir,
    role,
    set: async (more) => {
      server.environment['KEYWAY_SCIM'] = setting(more);
      await server.restart();
    },
    stop: async () => {
      await server.stop();
      await issuer.stop();
    },
  };
}

export const userSchema = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const groupSchema = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const patchSchema = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** A request of SCIM, with this token, or without one where that is null. */
export async function askScim(
  server: Pick<TestServer, 'url'>,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<ScimAnswer> {
  const response = await fetch(`${server.url}/scim/v2${path}`, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/scim+json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

/** Operations, as a PATCH has them. */
export const patchOf = (...Operations: object[]): object => ({ schemas: [patchSchema], Operations });

/** The events of an account and of nobody else, by action. */
export async function actionsOf(server: TestServer, account: string): Promise<string[]> {
  const rows = await server.rows<{ action: string }>(
    'SELECT action FROM audit_events WHERE account_id = CAST(:id AS uuid) ORDER BY number',
    { id: account },
  );
  return rows.map(({ action }) => action);
}
