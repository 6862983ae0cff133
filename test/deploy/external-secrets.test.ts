/**
 * @embedded files that are for others to run
 */
import { Secret } from 'kubernetes-models/v1/Secret';
import { parseAllDocuments } from 'yaml';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  type Made,
} from '../support/make.js';
import { read } from '../support/pages.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';

// The request that External Secrets makes of deploy/kubernetes/external-secrets.yaml, sent to Keyway.

interface Webhook {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
  result: { jsonPath: string };
  secrets: { name: string; secretRef: { name: string } }[];
}
interface Manifest {
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec: {
    provider: { webhook: Webhook };
    secretStoreRef: { kind: string; name: string };
    dataFrom: { extract: { key: string } }[];
    refreshInterval: string;
    target: { deletionPolicy?: string };
  };
}

const manifests = parseAllDocuments(read('deploy/kubernetes/external-secrets.yaml')).map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Manifest;
});
const [store, secret, wanted] = ['SecretStore', 'Secret', 'ExternalSecret'].map((kind) => {
  const found = manifests.find((one) => one.kind === kind);
  if (!found) throw new Error(`there is no ${kind}`);
  return found;
}) as [Manifest, Manifest, Manifest];
const { webhook } = store.spec.provider;

let server: TestServer;
let project: string;
let made: Made;
let caller: { id: string; token: string };

beforeAll(async () => {
  server = await startTestServer();
  const account = await makeAccount(server);
  project = await makeProject(server, account);
  made = await makeCredential(server, account, { project, retrievable: true });
  caller = await makeCaller(server, ['CREDENTIAL_REVEAL'], { onProject: project }, { kind: 'SERVICE' });
});
afterAll(() => server.stop());

/** A template of Go, as far as the manifest has any. */
function rendered(template: string, { key, token }: { key: string; token: string }): string {
  const values: Record<string, string> = {
    '.keyway.token': token,
    '.remoteRef.key | toJson': JSON.stringify(key),
  };
  return template.replace(/\{\{ (.*?) \}\}/g, (_, asked: string) => {
    const value = values[asked];
    if (value === undefined) throw new Error(`nothing is known of ${asked}`);
    return value;
  });
}

/** Sends what the store asks, and finds in the answer what it wants of it. */
async function asked(key: string, token: string): Promise<{ status: number; found: unknown }> {
  const of = (template: string) => rendered(template, { key, token });
  const response = await fetch(of(webhook.url).replace('https://keyway.example.com', server.url), {
    method: webhook.method,
    headers: Object.entries(webhook.headers).map(([name, value]): [string, string] => [name, of(value)]),
    body: of(webhook.body),
  });
  let found = (await response.json()) as unknown;
  for (const name of webhook.result.jsonPath.replace(/^\$\./, '').split('.'))
    found = (found as Record<string, unknown> | null | undefined)?.[name];
  return { status: response.status, found };
}

test('the manifests name each other, and the secret is one that the provider may read', () => {
  expect(wanted.spec.secretStoreRef).toEqual({ kind: 'SecretStore', name: store.metadata.name });
  expect(webhook.secrets).toEqual([{ name: 'keyway', secretRef: { name: secret.metadata.name } }]);
  expect(secret.metadata.labels).toEqual({ 'external-secrets.io/type': 'webhook' });
  expect(() => new Secret(secret as never).validate()).not.toThrow();
  expect(wanted.spec.dataFrom[0]?.extract.key).toMatch(/^cred_\w{22}$/);
});

test('one who may reveal in its project, and nothing else, gets it, and that is on record', async () => {
  const { status, found } = await asked(made.id, caller.token);
  expect([status, found]).toEqual([200, { accessKey: made.accessKey, secret: made.secret }]);
  const { data } = await server.ask(
    `query ($actor: [ID!]) { auditEvents(filter: { actor: $actor, action: ["credential:reveal"] }) {
      nodes { action outcome } } }`,
    { actor: [caller.id] },
  );
  expect(data.auditEvents.nodes).toEqual([{ action: 'credential:reveal', outcome: 'DONE' }]);
});

test('who may not, or names another, finds nothing, and what is in the cluster stays', async () => {
  const other = await makeCaller(server, ['CREDENTIAL_READ'], { onProject: project });
  expect(await asked(made.id, other.token)).toEqual({ status: 200, found: undefined });
  const stranger = await makeCaller(server);
  expect(await asked(made.id, stranger.token)).toEqual({ status: 200, found: undefined });
  expect(wanted.spec.target.deletionPolicy).toBe('Retain');
  expect(await asked(made.id, 'kw_nobody')).toEqual({ status: 401, found: undefined });
});

test('what an ExternalSecret names is a value, whatever it is', async () => {
  const escaping = `${made.id}"}, "query": "{ viewer { id } }`;
  expect(await asked(escaping, caller.token)).toEqual({ status: 200, found: undefined });
});

test('where the account requires a second factor, it gets nothing', async () => {
  const { id, token } = await makeCaller(server, ['CREDENTIAL_REVEAL'], { onProject: project });
  expect((await asked(made.id, token)).found).toBeDefined();
  expectData(await run(server, 'updateAccount', { id, mfaRequired: true }));
  expect((await asked(made.id, token)).found).toBeUndefined();
});
