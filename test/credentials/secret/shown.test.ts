import { join } from 'node:path';
import { inspect } from 'node:util';
import { parseId } from '../../../src/ids.js';
import { loadKeyFiles } from '../../../src/keyring/kek-file.js';
import { openKeyring, type Keyring } from '../../../src/keyring/keyring.js';
import { Secret } from '../../../src/secret.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
} from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { inDays } from '../verbs.js';
import { Trial, type Step } from '../outside/trial.js';
import { apinizer, ncloud, seqera, veracode, type Vendor } from '../outside/vendors.js';

let server: TestServer;
let keyring: Keyring;
let account: string;
const trials: Trial[] = [];
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  keyring = openKeyring(loadKeyFiles(join(server.dataDir, 'keys')));
  account = await makeAccount(server);
});
afterEach(async () => {
  for (const { vendor } of trials.splice(0)) await vendor.standIn.stop();
});
afterAll(() => server.stop());

type Input = Record<string, unknown>;

/** What makes a secret of Keyway's own store, with an idempotency key. */
interface Making {
  mutation: string;
  input: () => Promise<Input>;
  /** Whether what is left of a secret is the access key. */
  isNamed: boolean;
}

const keyed = async (rest: Input | Promise<Input>) => ({ ...(await rest), idempotencyKey: unique('key') });
const created = (secret: Input) => () => keyed({ account, name: unique('shown'), secret });
const idOf = async (secret: Input) => (await makeCredential(server, account, { secret })).id;

const makings: [string, Making][] = [
  ['a token', { mutation: 'createCredential', input: created({ token: {} }), isNamed: false }],
  ['an access key', { mutation: 'createCredential', input: created({ accessKey: {} }), isNamed: false }],
  [
    'a password',
    {
      mutation: 'createCredential',
      input: () => created({ password: { username: unique('user') } })(),
      isNamed: false,
    },
  ],
  [
    'keys of a provider',
    {
      mutation: 'createCredential',
      input: created({ providerKeys: { github: { username: 'octo', password: 'MARKER-0001' } } }),
      isNamed: false,
    },
  ],
  [
    'a rotation',
    {
      mutation: 'rotateCredential',
      input: async () => keyed({ id: await idOf({ token: {} }) }),
      isNamed: true,
    },
  ],
  [
    'a temporary credential',
    {
      mutation: 'issueTemporaryCredential',
      input: async () => keyed({ parent: await idOf({ accessKey: {} }) }),
      isNamed: true,
    },
  ],
];

interface Issued {
  accessKey: string | null;
  secret: string | null;
  keys: { name: string; value: string }[] | null;
  endpoint: string | null;
  expiresAt: string | null;
}

const issuedBy = async (mutation: string, input: Input): Promise<{ id: string; issued: Issued | null }> => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const fields = 'accessKey secret keys { name value } endpoint expiresAt';
  const text = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) { credential { id } issued { ${fields} } } }`;
  const { credential, issued } = expectData(await server.ask(text, { input })).done;
  return { id: credential.id, issued };
};

const plainOf = (issued: Issued | null): string[] =>
  [issued?.secret, ...(issued?.keys ?? []).map(({ value }) => value)].filter(
    (text) => typeof text === 'string',
  );

const reveals = async (id: string): Promise<number> => {
  const [row] = await server.rows<{ count: number }>(
    `SELECT count(*)::integer AS count FROM audit_events
     WHERE target_id = CAST(:id AS uuid) AND action = 'credential:reveal' AND outcome = 'DONE'`,
    { id: parseId(id)?.uuid },
  );
  return row?.count ?? 0;
};

/** Has the answer that was kept last sealed as it was before its secrets were told apart. */
async function sealAsBefore(change: (plain: string) => Input): Promise<void> {
  const [row] = await server.rows<{ id: string; accountId: string; sealed: Buffer }>(
    'SELECT id, account_id AS "accountId", sealed FROM idempotency_keys ORDER BY created_at DESC LIMIT 1',
  );
  if (!row) throw new Error('no answer was kept');
  const { id, accountId } = row;
  const place = {
    accountId,
    projectId: null,
    credentialId: id,
    version: 0,
    field: 'idempotency' as const,
  };
  const before = change((await keyring.open(Buffer.from(row.sealed), place)).expose());
  const { sealed } = await keyring.seal(Secret.of(JSON.stringify(before)), place);
  await server.rows('UPDATE idempotency_keys SET sealed = :sealed WHERE id = :id', { id, sealed });
}

/** What each transaction of the server came to, while `work` is done. */
async function resultsDuring(work: () => Promise<unknown>): Promise<unknown[]> {
  const { db } = server;
  const original = db.transaction.bind(db);
  const results: unknown[] = [];
  db.transaction = async (of) => {
    const result = await original(of);
    results.push(result);
    return result;
  };
  try {
    await work();
  } finally {
    db.transaction = original;
  }
  return results;
}

describe.each(makings)('of %s', (_, { mutation, input: inputOf, isNamed }) => {
  test('a transaction has the secret as a secret, and never as plain text', async () => {
    const input = await inputOf();
    const answers: (Issued | null)[] = [];
    const results = await resultsDuring(async () => {
      for (let round = 0; round < 2; round++) answers.push((await issuedBy(mutation, input)).issued);
    });
    const secrets = answers.flatMap(plainOf);
    expect(secrets.length).toBeGreaterThan(1);
    const texts = [JSON.stringify(results), inspect(results, { depth: 9 })];
    for (const text of texts) expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    for (const text of texts) expect(text.split(Secret.placeholder).length).toBeGreaterThan(2);
  });

  test('R3: a replay shows it again while it works, which is a reveal on record, and then no more', async () => {
    const input = await inputOf();
    const first = await issuedBy(mutation, input);
    expect(await reveals(first.id)).toBe(0);
    expect(await issuedBy(mutation, input)).toEqual(first);
    expect(await reveals(first.id)).toBe(1);
    expectData(await run(server, 'revokeCredential', { id: first.id }));
    const { issued } = await issuedBy(mutation, input);
    const left = { ...first.issued, secret: null, keys: null };
    expect(issued).toEqual(isNamed ? left : null);
    expect(await reveals(first.id)).toBe(1);
  });

  test('R3: a replay of an answer that was kept by the version before shows it again, and then no more', async () => {
    const input = await inputOf();
    const first = await issuedBy(mutation, input);
    const { accessKey = null, secret = null, keys = null, expiresAt = null } = first.issued ?? {};
    await sealAsBefore((kept) => {
      const version = Number(/"version":(\d+)/.exec(kept)?.[1]);
      const issued = { accessKey, secret, keys, expiresAt };
      return { id: parseId(first.id)?.uuid, version, issued, code: null };
    });
    const results = await resultsDuring(async () => expect(await issuedBy(mutation, input)).toEqual(first));
    expect(inspect(results, { depth: 9 })).toContain(Secret.placeholder);
    expect(await reveals(first.id)).toBe(1);
    expectData(await run(server, 'revokeCredential', { id: first.id }));
    const { issued } = await issuedBy(mutation, input);
    expect(issued).toEqual(isNamed ? { ...first.issued, secret: null, keys: null } : null);
  });
});

const vendors: [string, Step['verb'], () => Promise<Vendor>][] = [
  ['Seqera', 'create', seqera],
  ['Seqera', 'rotate', seqera],
  ['Apinizer', 'create', apinizer],
  ['Apinizer', 'rotate', apinizer],
  ['NAVER Cloud', 'create', ncloud],
  ['NAVER Cloud', 'rotate', ncloud],
  ['Veracode', 'rotate', veracode],
];

test.each(vendors)(
  'R3: at %s, a replay of %s shows it again while it works, which is a reveal on record, and then no more',
  async (name, verb, vendor) => {
    const step: Step = { verb, vendor, ends: 'done' };
    const trial = await Trial.open(name, step, server, account);
    trials.push(trial);
    await trial.prepare();
    const sent = async () => expectData(await trial.send()).done;
    const first = await sent();
    expect(plainOf(first.issued)).not.toEqual([]);
    const { id } = first.credential;
    expect(await reveals(id)).toBe(0);
    expect(await sent()).toEqual(first);
    expect(await reveals(id)).toBe(1);
    expectData(await run(server, 'revokeCredential', { id }));
    const { issued } = await sent();
    expect(issued).toEqual(verb === 'create' ? null : { ...first.issued, secret: null, keys: null });
    expect(await reveals(id)).toBe(1);
  },
);

describe('a repeated request is decided as one that comes now', () => {
  const creating = `mutation ($input: CreateCredentialInput!) {
    createCredential(input: $input) { credential { id } issued { accessKey secret } } }`;

  test('at the place where the credential is by now', async () => {
    const [project, another] = [await makeProject(server, account), await makeProject(server, account)];
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE'], { onProject: project });
    const input = await keyed({ account, project, name: unique('moved'), secret: { accessKey: {} } });
    const ask = () => server.ask(creating, { input }, { token: caller.token });
    const { credential, issued } = expectData(await ask()).createCredential;
    expect(expectData(await ask()).createCredential.issued).toEqual(issued);
    expectData(await run(server, 'updateCredential', { id: credential.id, project: another }));
    const { code, text } = await ask();
    expect(code).toBe('NOT_FOUND');
    expect(text).not.toContain(issued.secret);
    expect(await reveals(credential.id)).toBe(1);
  });

  test('by what its secret may do by now, for a narrower token of the same account', async () => {
    const caller = await makeCaller(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_READ', 'PROJECT_READ'], {
      onAccount: account,
    });
    const narrowed = await makeCredential(server, caller.id, {
      secret: { token: { permissions: ['CREDENTIAL_CREATE', 'CREDENTIAL_READ'] } },
    });
    const input = await keyed({
      account: caller.id,
      name: unique('widened'),
      secret: { accessKey: {} },
      expiresAt: inDays(1),
    });
    const own = await makeRole(server, ['CREDENTIAL_CREATE']);
    await grant(server, caller.id, own, { onAccount: caller.id });
    const ask = (token: string | null) => server.ask(creating, { input }, { token });
    const { credential, issued } = expectData(await ask(caller.token)).createCredential;
    expect(expectData(await ask(narrowed.secret)).createCredential.issued).toEqual(issued);
    const role = await makeRole(server, ['PROJECT_READ']);
    expectData(await run(server, 'updateCredential', { id: credential.id, roles: [role] }));
    const { code, text } = await ask(narrowed.secret);
    expect(code).toBe('FORBIDDEN');
    expect(text).not.toContain(issued.secret);
    expect(expectData(await ask(caller.token)).createCredential.issued).toEqual(issued);
  });
});
