import { SignatureScheme } from '../../src/signatures/scheme.js';
import { outside, type Case } from '../connectors/conformance.js';
import { connect } from '../connectors/world.js';
import { issue, issueSigned, madeBy } from '../credentials/temporary.js';
import { apartFromUse, create, read, reveal, rotate, update } from '../credentials/verbs.js';
import {
  expectData,
  grant,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  makeRole,
  unique,
  type Made,
} from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { askSigned, type Reply } from '../support/signing.js';

let server: SharedServer;
let organization: string;
beforeAll(async () => {
  server = await sharedServer();
  organization = await makeAccount(server);
});

const ncloud = outside.find(({ name }) => name === 'NAVER Cloud, Sub Account 2') as Case;
const refusal = ({ code, data }: Pick<Reply, 'code' | 'data'>) => ({ code, data });
const forbidden = { code: 'FORBIDDEN', data: null };
const unseen = { code: 'NOT_FOUND', data: null };

/** Runs a mutation signed by a key. */
function runSigned(key: Made, mutation: string, input: Record<string, unknown>): Promise<Reply> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  return askSigned(server, key, `mutation ($input: ${type}) { ${mutation}(input: $input) { __typename } }`, {
    input,
  });
}

describe('a key without roles', () => {
  /** A person with a good deal to see by its token, and a key that carries nothing. */
  async function endowed() {
    const person = await makeCaller(server, [
      'CREDENTIAL_READ',
      'AUDIT_READ',
      'ACCOUNT_READ',
      'PROJECT_READ',
      'ROLE_READ',
    ]);
    const project = await makeProject(server, organization);
    const role = await makeRole(server, ['CREDENTIAL_ROTATE']);
    await grant(server, person.id, role, { onProject: project });
    await grant(server, person.id, role, { onAccount: organization });
    const home = await makeProject(server, organization);
    const key = await makeCredential(server, person.id, { project: home });
    const other = await makeCredential(server, person.id);
    const owned = await makeCredential(server, organization, { owner: person.id, project });
    return { person, project, home, role, key, other, owned };
  }

  const everything = `query ($ids: [ID!]!) {
    viewer { id parent { id } subAccounts { totalCount } credentials { nodes { id } totalCount } grants { id } }
    credentials { totalCount nodes { id } }
    accounts { nodes { id } }
    projects { nodes { id } }
    roles { nodes { id } }
    stores { name }
    auditEvents { totalCount }
    nodes(ids: $ids) { id }
  }`;

  test('sees the account that it is of, and itself', async () => {
    const { person, project, home, role, key, other, owned } = await endowed();
    const ids = [key.id, other.id, owned.id, person.credential, project, role, organization];
    const { accounts, ...data } = expectData(await askSigned(server, key, everything, { ids }));
    // What the key itself names: its account, its project and whose that is, and its store.
    expect(accounts.nodes.map(({ id }: { id: string }) => id).sort()).toEqual(
      [person.id, organization].sort(),
    );
    expect(data).toEqual({
      viewer: {
        id: person.id,
        parent: null,
        subAccounts: { totalCount: 0 },
        credentials: { nodes: [{ id: key.id }], totalCount: 1 },
        grants: [],
      },
      credentials: { totalCount: 1, nodes: [{ id: key.id }] },
      projects: { nodes: [{ id: home }] },
      roles: { nodes: [] },
      stores: [{ name: 'keyway' }],
      auditEvents: { totalCount: 0 },
      nodes: [{ id: key.id }, null, null, null, null, null, { id: organization }],
    });
  });

  test('sees of itself what there is to read, and no secret', async () => {
    const { key } = await endowed();
    const asked = await askSigned(
      server,
      key,
      `query ($id: ID!) { credential(id: $id) { id accessKey createdAt expiresAt mfaAuthenticated status
        roles { id } versions { number state } parent { id } derived { totalCount } } }`,
      { id: key.id },
    );
    expect(expectData(asked).credential).toMatchObject({
      id: key.id,
      accessKey: key.accessKey,
      status: 'ACTIVE',
      versions: [{ number: 1, state: 'CURRENT' }],
      derived: { totalCount: 0 },
    });
    expect(asked.text).not.toContain(key.secret);
  });

  test('changes nothing, not even itself', async () => {
    const { person, project, role, key, other } = await endowed();
    const before = await read(server, key.id);
    const { id } = key;
    const tries: [string, Record<string, unknown>, typeof forbidden][] = [
      ['updateCredential', { id, name: 'x' }, forbidden],
      ['updateCredential', { id, roles: [] }, forbidden],
      ['rotateCredential', { id }, forbidden],
      ['revokeCredential', { id }, forbidden],
      ['deleteCredential', { id }, forbidden],
      ['revealCredential', { id }, forbidden],
      ['rotateCredential', { id: other.id }, unseen],
      ['revealCredential', { id: other.id }, unseen],
      ['createCredential', { account: person.id, name: 'x', secret: { token: {} } }, forbidden],
      ['createAccount', { kind: 'SERVICE', name: unique('x'), title: 'x' }, forbidden],
      ['createProject', { account: person.id, name: unique('x') }, forbidden],
      ['createRole', { name: unique('x'), permissions: [] }, forbidden],
      ['updateProject', { id: project, title: 'x' }, unseen],
      ['grantRole', { account: person.id, role }, unseen],
      ['verifyCredential', { accessKey: key.accessKey, proof: { secret: key.secret } }, forbidden],
    ];
    for (const [mutation, input, expected] of tries)
      expect([mutation, refusal(await runSigned(key, mutation, input))]).toEqual([mutation, expected]);
    expect(apartFromUse(await read(server, key.id))).toEqual(apartFromUse(before));
  });
});

describe('a key with roles', () => {
  const reading = 'query ($id: ID!) { credential(id: $id) { id } auditEvents { totalCount } }';

  test('may do what these allow, where its account may do it, and nothing more', async () => {
    const [elsewhere, nowhere] = [await makeAccount(server), await makeAccount(server)];
    const person = await makeAccount(server, { kind: 'PERSON' });
    await grant(server, person, await makeRole(server, ['CREDENTIAL_READ', 'AUDIT_READ']), {
      onAccount: elsewhere,
    });
    // It reads and verifies by its roles; its account reads, elsewhere alone, and verifies nowhere.
    const key = await makeCredential(server, person, {
      roles: [await makeRole(server, ['CREDENTIAL_READ']), await makeRole(server, ['CREDENTIAL_VERIFY'])],
    });
    const [seen, hidden] = [await makeCredential(server, elsewhere), await makeCredential(server, nowhere)];
    expect(expectData(await askSigned(server, key, reading, { id: seen.id }))).toEqual({
      credential: { id: seen.id },
      auditEvents: { totalCount: 0 },
    });
    expect(expectData(await askSigned(server, key, reading, { id: hidden.id })).credential).toBeNull();
    const verifying = { accessKey: seen.accessKey, proof: { secret: seen.secret } };
    expect(refusal(await runSigned(key, 'verifyCredential', verifying))).toEqual(forbidden);
    expect(refusal(await runSigned(key, 'updateCredential', { id: seen.id, name: 'x' }))).toEqual(forbidden);
  });

  test('S23: may do so no longer than it carries them, and its account holds them', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ']);
    const held = await grant(server, person, role, { onAccount: organization });
    const key = await makeCredential(server, person, { roles: [role] });
    const { id } = await makeCredential(server, organization);
    const sees = async () => expectData(await askSigned(server, key, reading, { id })).credential !== null;
    const update_ = async (mutation: string, input: Record<string, unknown>) => {
      const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
      expectData(
        await server.ask(`mutation ($input: ${type}) { ${mutation}(input: $input) { __typename } }`, {
          input,
        }),
      );
    };
    expect(await sees()).toBe(true);
    await update_('updateCredential', { id: key.id, roles: [] });
    expect(await sees()).toBe(false);
    await update_('updateCredential', { id: key.id, roles: [role] });
    expect(await sees()).toBe(true);
    await update_('updateRole', { id: role, permissions: ['ROLE_READ'] });
    expect(await sees()).toBe(false);
    await update_('updateRole', { id: role, permissions: ['CREDENTIAL_READ'] });
    expect(await sees()).toBe(true);
    await update_('withdrawRole', { grant: held });
    expect(await sees()).toBe(false);
  });

  test('is an owner with them: it rotates what its account owns, and the next secret signs', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ', 'CREDENTIAL_ROTATE']);
    const key = await makeCredential(server, person, { roles: [role] });
    const rotating = `mutation ($id: ID!) { rotateCredential(input: { id: $id, gracePeriod: "PT1H" }) {
      issued { accessKey secret } } }`;
    const { issued } = expectData(await askSigned(server, key, rotating, { id: key.id })).rotateCredential;
    const { viewer } = expectData(await askSigned(server, { ...key, ...issued }, '{ viewer { id } }'));
    expect(viewer.id).toBe(person);
  });

  test('S60: is who did it, on record', async () => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ', 'CREDENTIAL_UPDATE']);
    await grant(server, person, role, { onAccount: organization });
    const key = await makeCredential(server, person, { roles: [role] });
    const { id } = await makeCredential(server, organization);
    expectData(await runSigned(key, 'updateCredential', { id, name: unique('renamed') }));
    expect((await runSigned(key, 'rotateCredential', { id })).code).toBe('FORBIDDEN');
    const events = async () => {
      const answer = await server.ask(
        `query ($actor: [ID!]) { auditEvents(filter: { actor: $actor }) { nodes {
          action outcome code actor { id } actorCredential { id } } } }`,
        { actor: [person] },
      );
      return expectData(answer).auditEvents.nodes as { outcome: string }[];
    };
    for (let attempt = 0; (await events()).length < 2 && attempt < 60; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const by = { actor: { id: person }, actorCredential: { id: key.id } };
    expect((await events()).sort((one, other) => (one.outcome < other.outcome ? -1 : 1))).toEqual([
      { action: 'credential:update', outcome: 'DONE', code: null, ...by },
      { action: 'credential:rotate', outcome: 'REFUSED', code: 'FORBIDDEN', ...by },
    ]);
  });
});

describe('S38: an operator of one organization, and a person in it who holds more elsewhere', () => {
  const operating = ['CREATE', 'READ', 'UPDATE', 'ROTATE', 'REVOKE', 'REVEAL'].map(
    (verb) => `CREDENTIAL_${verb}`,
  );
  let operator: { id: string; token: string };
  let person: string;
  let role: string;
  /** What is not the operator's to reach. */
  let elsewhere: string;
  beforeAll(async () => {
    elsewhere = await makeAccount(server);
    const organizationHere = await makeAccount(server);
    operator = await makeCaller(server, [...operating, 'ROLE_READ'], { onAccount: organizationHere });
    person = await makeAccount(server, { kind: 'PERSON', parent: organizationHere });
    role = await makeRole(server, ['CREDENTIAL_READ']);
    await grant(server, person, role, { onAccount: elsewhere });
    for (const account of [person, operator.id])
      await grant(server, account, role, { onAccount: organizationHere });
  });

  const unchanged = async (id: string, attempt: () => Promise<Pick<Reply, 'code' | 'data'>>) => {
    const before = await read(server, id);
    expect(refusal(await attempt())).toEqual(forbidden);
    expect(apartFromUse(await read(server, id))).toEqual(apartFromUse(before));
  };

  test('what the person’s key would reach is not the operator’s', async () => {
    const key = await makeCredential(server, person, { roles: [role] });
    const { id } = await makeCredential(server, elsewhere);
    const query = 'query ($id: ID!) { credential(id: $id) { id } }';
    expect(expectData(await askSigned(server, key, query, { id })).credential).toEqual({ id });
    expect(expectData(await server.ask(query, { id }, operator)).credential).toBeNull();
  });

  test('the operator makes the person no such key', async () => {
    const input = { account: person, name: unique('key'), secret: { accessKey: {} } };
    const answer = await create(server, { ...input, roles: [role] }, operator);
    expect(refusal(answer)).toEqual(forbidden);
    const rows = await server.rows('SELECT 1 FROM credentials WHERE name = :name', { name: input.name });
    expect(rows).toEqual([]);
    expect((await create(server, input, operator)).code).toBeUndefined();
  });

  test('the operator gives the role to none of the person’s keys', async () => {
    const { id } = await makeCredential(server, person);
    await unchanged(id, () => update(server, { id, roles: [role] }, operator));
  });

  test.each<[string, typeof rotate]>([
    ['rotates', rotate],
    ['reveals', reveal],
    ['derives from', (at, { id }, options) => issue(at, { parent: id }, options)],
  ])('the operator %s none that has it', async (_, verb) => {
    const { id } = await makeCredential(server, person, { roles: [role], retrievable: true });
    await unchanged(id, () => verb(server, { id }, operator));
    const bare = await makeCredential(server, person, { retrievable: true });
    expect((await verb(server, { id: bare.id }, operator)).code).toBeUndefined();
  });

  test('the operator opens none that has it to more addresses, or for longer', async () => {
    const { id } = await makeCredential(server, person, {
      roles: [role],
      allowedIps: ['192.0.2.1'],
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    for (const change of [{ allowedIps: null }, { expiresAt: null }])
      await unchanged(id, () => update(server, { id, ...change }, operator));
  });

  test('the operator may do all this where the person holds no more than the operator', async () => {
    const at = await makeAccount(server);
    const other = await makeCaller(server, [...operating, 'ROLE_READ'], { onAccount: at });
    const colleague = await makeAccount(server, { kind: 'PERSON', parent: at });
    for (const account of [colleague, other.id]) await grant(server, account, role, { onAccount: at });
    const input = { account: colleague, name: unique('key'), secret: { accessKey: {} }, retrievable: true };
    const made = expectData(await create(server, { ...input, roles: [role] }, other)).createCredential;
    const { id } = made.credential;
    for (const answer of [
      await update(server, { id, roles: [] }, other),
      await update(server, { id, roles: [role] }, other),
      await rotate(server, { id }, other),
      await reveal(server, { id }, other),
      await issue(server, { parent: id }, other),
    ])
      expect(answer.code).toBeUndefined();
  });
});

describe('S38: whoever calls by a key', () => {
  /** A person who holds much, and a key of theirs that carries a part of it. */
  async function partial(extra: Record<string, unknown> = {}) {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const all = ['CREATE', 'READ', 'UPDATE', 'ROTATE', 'REVEAL'].map((verb) => `CREDENTIAL_${verb}`);
    await grant(server, person, await makeRole(server, [...all, 'AUDIT_READ', 'ROLE_READ']), {
      onAccount: person,
    });
    const part = await makeRole(server, [
      ...all.filter((one) => !one.endsWith('READ')),
      'CREDENTIAL_READ',
      'ROLE_READ',
    ]);
    const more = await makeRole(server, ['AUDIT_READ']);
    for (const role of [part, more]) await grant(server, person, role, { onAccount: person });
    const key = await makeCredential(server, person, { roles: [part], retrievable: true, ...extra });
    return { person, part, more, key };
  }

  test('makes itself no token and no key that may do more than this one', async () => {
    const { person, part, more, key } = await partial();
    const make = (input: Record<string, unknown>) =>
      runSigned(key, 'createCredential', { account: person, name: unique('made'), ...input });
    for (const input of [
      { secret: { token: {} } },
      { secret: { token: { permissions: ['CREDENTIAL_READ', 'AUDIT_READ'] } } },
      { secret: { accessKey: {} }, roles: [more] },
      { secret: { accessKey: {} }, roles: [part, more] },
    ])
      expect(refusal(await make(input))).toEqual(forbidden);
    for (const input of [
      { secret: { token: { permissions: ['CREDENTIAL_READ'] } } },
      { secret: { accessKey: {} }, roles: [part] },
      { secret: { accessKey: {} } },
    ])
      expect((await make(input)).code).toBeUndefined();
  });

  test('gives itself no role more', async () => {
    const { more, part, key } = await partial();
    for (const roles of [[more], [part, more]])
      expect(refusal(await runSigned(key, 'updateCredential', { id: key.id, roles }))).toEqual(forbidden);
    expect((await read(server, key.id)).roles).toEqual([{ id: part }]);
  });

  test.each(['rotateCredential', 'revealCredential'])(
    'is not shown what may do more: %s',
    async (mutation) => {
      const { person, more, key } = await partial();
      const token = await makeCredential(server, person, { secret: { token: {} }, retrievable: true });
      const other = await makeCredential(server, person, { roles: [more], retrievable: true });
      for (const { id } of [token, other])
        expect(refusal(await runSigned(key, mutation, { id }))).toEqual(forbidden);
      const less = await makeCredential(server, person, { retrievable: true });
      expect((await runSigned(key, mutation, { id: less.id })).code).toBeUndefined();
    },
  );

  test('makes itself nothing for more addresses', async () => {
    const { person, part, key } = await partial({ allowedIps: ['127.0.0.0/8'] });
    const make = (allowedIps?: string[]) =>
      runSigned(key, 'createCredential', {
        account: person,
        name: unique('made'),
        secret: { accessKey: {} },
        roles: [part],
        ...(allowedIps && { allowedIps }),
      });
    for (const allowedIps of [undefined, [], ['0.0.0.0/0'], ['127.0.0.1', '192.0.2.1']])
      expect(refusal(await make(allowedIps))).toEqual(forbidden);
    expect((await make(['127.0.0.1'])).code).toBeUndefined();
  });
});

describe('S22, S38: whoever calls by a temporary key', () => {
  /** A person who may do all to credentials of its own account, a key of theirs, and what is derived from that. */
  async function passing() {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const verbs = ['CREATE', 'READ', 'UPDATE', 'ROTATE', 'REVEAL', 'REVOKE'].map(
      (verb) => `CREDENTIAL_${verb}`,
    );
    const role = await makeRole(server, [...verbs, 'ACCOUNT_READ', 'ROLE_READ']);
    await grant(server, person, role, { onAccount: person });
    const key = await makeCredential(server, person, { roles: [role], retrievable: true });
    const answer = await issueSigned(server, key, { parent: key.id, duration: 'PT10M', retrievable: true });
    return { person, role, key, pair: madeBy(answer) };
  }
  const countOf = async (account: string): Promise<number> => {
    const asked = await server.ask(
      'query ($account: ID!) { credentials(filter: { account: [$account] }) { totalCount } }',
      { account },
    );
    return expectData(asked).credentials.totalCount;
  };

  test('makes its own account nothing that could outlive it', async () => {
    const { person, role, key, pair } = await passing();
    const input = () => ({ account: person, name: unique('made'), secret: { accessKey: {} } });
    const soon = expectData(
      await server.ask('query ($id: ID!) { credential(id: $id) { expiresAt } }', { id: pair.id }),
    ).credential.expiresAt as string;
    for (const more of [
      { roles: [role] },
      {},
      { expiresAt: soon },
      { secret: { password: { username: unique('user') } } },
      { secret: { providerKeys: { k8s: { token: 'outlive-secret-0001' } } } },
      { secret: { token: { permissions: ['CREDENTIAL_READ'] } } },
      { secret: { token: { permissions: ['CREDENTIAL_READ'] } }, expiresAt: soon },
    ])
      expect(refusal(await runSigned(pair, 'createCredential', { ...input(), ...more }))).toEqual(forbidden);
    expect(await countOf(person)).toBe(2);
    expect((await runSigned(key, 'createCredential', { ...input(), roles: [role] })).code).toBeUndefined();
  });

  test('has nothing of its own account rotated, revealed or derived: its parent neither', async () => {
    const { person, role, key, pair } = await passing();
    const other = await makeCredential(server, person, { retrievable: true });
    const sibling = madeBy(await issueSigned(server, key, { parent: key.id, retrievable: true }));
    const later = new Date(Date.now() + 86_400_000).toISOString();
    const before = await Promise.all([key, other].map(({ id }) => read(server, id)));
    for (const { id } of [key, other]) {
      for (const mutation of ['rotateCredential', 'revealCredential'])
        expect(refusal(await runSigned(pair, mutation, { id }))).toEqual(forbidden);
      expect(refusal(await issueSigned(server, pair, { parent: id }))).toEqual(forbidden);
      expect(refusal(await runSigned(pair, 'updateCredential', { id, expiresAt: later }))).toEqual(forbidden);
    }
    expect(refusal(await runSigned(pair, 'revealCredential', { id: sibling.id }))).toEqual(forbidden);
    const after = await Promise.all([key, other].map(({ id }) => read(server, id)));
    expect(after.map(apartFromUse)).toEqual(before.map(apartFromUse));
    expect(role).toBe(after[0].roles[0].id);
    const [message] = (await runSigned(pair, 'rotateCredential', { id: key.id })).errors;
    expect(message?.message).toMatch(/temporary credential/);
  });

  test('has its own secret revealed while it lives, and does what shows no secret', async () => {
    const { key, pair } = await passing();
    const text = 'mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { secret } } }';
    const shown = expectData(await askSigned(server, pair, text, { id: pair.id })).revealCredential.issued;
    expect(shown.secret).toBe(pair.secret);
    expect((await runSigned(pair, 'updateCredential', { id: key.id, name: 'x' })).code).toBeUndefined();
    expect((await runSigned(pair, 'revokeCredential', { id: key.id })).code).toBeUndefined();
    expect((await runSigned(pair, 'revealCredential', { id: pair.id })).status).toBe(401);
  });

  test('does for other accounts what it may there', async () => {
    const { person, role, pair } = await passing();
    const part = await makeAccount(server, { kind: 'SERVICE', parent: person });
    const made = await runSigned(pair, 'createCredential', {
      ...{ account: part, name: unique('made'), secret: { accessKey: {} } },
      roles: [role],
    });
    expect(made.code).toBeUndefined();
  });

  test('makes, rotates and derives nothing in an outside store, which is not asked', async () => {
    const world = await connect(server, ncloud);
    try {
      const verbs = ['CREATE', 'READ', 'ROTATE', 'REVEAL'].map((verb) => `CREDENTIAL_${verb}`);
      const role = await makeRole(server, verbs);
      await grant(server, world.account, role, { onAccount: world.account });
      const key = await makeCredential(server, world.account, { roles: [role] });
      const pair = madeBy(await issueSigned(server, key, { parent: key.id }));
      const { id } = await world.make();
      const before = world.standIn.calls.length;
      const input = { account: world.account, store: world.store, name: unique('made'), ...world.wish() };
      for (const [mutation, asked] of [
        ['createCredential', input],
        ['rotateCredential', { id, ...world.next() }],
        ['issueTemporaryCredential', { parent: id }],
      ] as const)
        expect([mutation, refusal(await runSigned(pair, mutation, asked))]).toEqual([mutation, forbidden]);
      expect(world.standIn.calls).toHaveLength(before);
      expect((await runSigned(key, 'issueTemporaryCredential', { parent: id })).code).toBeUndefined();
    } finally {
      await world.standIn.stop();
    }
  });
});

test.each([SignatureScheme.NCP_SIGNATURE_V2, SignatureScheme.VERACODE_HMAC_SHA_256])(
  'the rights of a key are the same by %s',
  async (scheme) => {
    const person = await makeAccount(server, { kind: 'PERSON' });
    const role = await makeRole(server, ['CREDENTIAL_READ']);
    await grant(server, person, role, { onAccount: organization });
    const secret = { accessKey: { secretFormat: 'HEX' } };
    const key = await makeCredential(server, person, { roles: [role], secret });
    const { id } = await makeCredential(server, organization);
    const query = 'query ($id: ID!) { credential(id: $id) { id } }';
    expect(expectData(await askSigned(server, key, query, { id }, scheme)).credential).toEqual({ id });
    const renaming = 'mutation ($id: ID!) { updateCredential(input: { id: $id, name: "x" }) { __typename } }';
    expect(refusal(await askSigned(server, key, renaming, { id }, scheme))).toEqual(forbidden);
  },
);
