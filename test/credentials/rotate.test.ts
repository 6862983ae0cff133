import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';
import { issued as derived } from './temporary.js';
import {
  faultPaths,
  inDays,
  keptOf,
  placesOf,
  read,
  remove,
  reveal,
  revoke,
  rotate,
  statusWith,
  update,
} from './verbs.js';

let server: SharedServer;
let account: string;
beforeAll(async () => {
  server = await sharedServer();
  account = await makeAccount(server);
});

const made = (input: Record<string, unknown> = {}) => makeCredential(server, account, input);
const rotated = async (input: Record<string, unknown>) =>
  expectData(await rotate(server, input)).rotateCredential;
const states = (versions: { number: number; state: string }[]) =>
  versions.map(({ number, state }) => `${number} ${state}`);

/** Lets the grace period of a credential end, as if the time had passed. */
async function outliveGrace(name: string): Promise<void> {
  await server.rows(
    `UPDATE credential_versions v SET valid_until = now() FROM credentials c
     WHERE c.id = v.credential_id AND c.name = :name AND v.state = 'PREVIOUS'`,
    { name },
  );
  await server.rows('UPDATE credentials SET rotating_until = now() WHERE name = :name', { name });
}

describe('the grace period', () => {
  test('lets both tokens call, and its end only the new one', async () => {
    const name = unique('token');
    const first = await made({ name, secret: { token: {} } });
    const { credential, issued } = await rotated({ id: first.id, gracePeriod: 'PT1H' });
    expect(issued.accessKey).toBe(first.accessKey);
    expect(issued.secret).not.toBe(first.secret);
    expect([await statusWith(server, String(first.secret)), await statusWith(server, issued.secret)]).toEqual(
      [200, 200],
    );
    expect(credential).toMatchObject({
      status: 'ROTATING',
      rotation: { state: 'SWITCHED', finishedAt: null },
    });
    expect(states(credential.versions)).toEqual(['2 CURRENT', '1 PREVIOUS']);
    const leftMs = Date.parse(credential.versions[1].validUntil) - Date.now();
    expect(Math.abs(leftMs - 3_600_000)).toBeLessThan(60_000);
    expect(credential.versions[0].validUntil).toBeNull();

    await outliveGrace(name);
    expect([await statusWith(server, String(first.secret)), await statusWith(server, issued.secret)]).toEqual(
      [401, 200],
    );
    const after = await read(server, first.id);
    expect(after).toMatchObject({ status: 'ACTIVE', rotation: { state: 'FINISHED' } });
    expect(after.rotation.finishedAt).toBe(after.versions[1].validUntil);
    expect(states(after.versions)).toEqual(['2 CURRENT', '1 RETIRED']);
  });

  test.each([[{}], [{ gracePeriod: 'PT0S' }], [{ gracePeriod: null }]])(
    'that is none, as in %j, ends the old token at once',
    async (input) => {
      const name = unique('token');
      const first = await made({ name, secret: { token: {} }, retrievable: true });
      const { credential, issued } = await rotated({ id: first.id, ...input });
      expect(await statusWith(server, String(first.secret))).toBe(401);
      expect(await statusWith(server, issued.secret)).toBe(200);
      expect(credential).toMatchObject({
        status: 'ACTIVE',
        rotation: { state: 'FINISHED', safeToRetire: true },
      });
      expect(credential.rotation.finishedAt).not.toBeNull();
      expect(states(credential.versions)).toEqual(['2 CURRENT', '1 RETIRED']);
      expect((await keptOf(server, name))[1]).toEqual(wiped(1));
    },
  );

  test('R6: of the first rotation ends with the second, which retires the oldest', async () => {
    const name = unique('token');
    const secrets = [(await made({ name, secret: { token: {} }, retrievable: true })) as { secret: string }];
    const { id } = secrets[0] as { id: string; secret: string };
    for (let count = 0; count < 3; count++) {
      secrets.push((await rotated({ id, gracePeriod: 'PT1H' })).issued);
    }
    const working = await Promise.all(secrets.map(({ secret }) => statusWith(server, secret)));
    expect(working).toEqual([401, 401, 200, 200]);
    const after = await read(server, id);
    expect(states(after.versions)).toEqual(['4 CURRENT', '3 PREVIOUS', '2 RETIRED', '1 RETIRED']);
    expect((await keptOf(server, name)).slice(2)).toEqual([wiped(2), wiped(1)]);
    const rotations = await server.rows(
      `SELECT r.state, r.from_number AS "from", r.to_number AS "to", r.finished_at IS NOT NULL AS finished
       FROM rotations r JOIN credentials c ON c.id = r.credential_id WHERE c.name = :name ORDER BY r.started_at`,
      { name },
    );
    expect(rotations).toEqual([
      { state: 'FINISHED', from: 1, to: 2, finished: true },
      { state: 'FINISHED', from: 2, to: 3, finished: true },
      { state: 'SWITCHED', from: 3, to: 4, finished: false },
    ]);
    expect(after.rotation).toMatchObject({ from: { number: 3 }, to: { number: 4 } });
  });

  test('is followed by a rotation without one: then the newest works alone', async () => {
    const first = await made({ secret: { token: {} } });
    const second = await rotated({ id: first.id, gracePeriod: 'PT1H' });
    const third = await rotated({ id: first.id });
    const working = [first.secret, second.issued.secret, third.issued.secret].map((secret) =>
      statusWith(server, String(secret)),
    );
    expect(await Promise.all(working)).toEqual([401, 401, 200]);
    expect(third.credential.status).toBe('ACTIVE');
  });

  test.each(['P91D', 'P1Y'])('S20: of %s is too long', async (gracePeriod) => {
    const { id } = await made();
    const answer = await rotate(server, { id, gracePeriod });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.gracePeriod']]);
    expect(states((await read(server, id)).versions)).toEqual(['1 CURRENT']);
  });
});

describe('many rotations', () => {
  test('R6: one after the other make versions without gaps, of which one is current', async () => {
    const { id } = await made();
    for (let count = 0; count < 5; count++) await rotated({ id });
    const { versions, revision } = await read(server, id);
    expect(states(versions)).toEqual(['6 CURRENT', ...[5, 4, 3, 2, 1].map((number) => `${number} RETIRED`)]);
    expect(revision).toBe(6);
  });

  test('R7: a rotation and a revocation at once end revoked, with no live secret', async () => {
    for (let round = 0; round < 5; round++) {
      const name = unique('token');
      const { id, secret } = await made({ name, secret: { token: {} } });
      const [rotation, revocation] = await Promise.all([
        rotate(server, { id, gracePeriod: 'PT1H' }),
        revoke(server, { id }),
      ]);
      expect(revocation.code).toBeUndefined();
      const secrets = [secret, rotation.data?.rotateCredential.issued.secret].filter(Boolean);
      for (const one of secrets) expect(await statusWith(server, String(one))).toBe(401);
      expect((await read(server, id)).status).toBe('REVOKED');
      const kept = await keptOf(server, name);
      // Of the last secret it can still be told that it was revoked; nothing is left of any other.
      expect(kept.map(({ sealed, verifier }) => [sealed, verifier])).toEqual(
        kept.map((_, index) => [false, index === 0]),
      );
    }
  });

  test('R5: that expect a revision that is no more are CONFLICT, and change nothing', async () => {
    const { id } = await made();
    const { credential } = await rotated({ id, expectedRevision: 1 });
    expect((await rotate(server, { id, expectedRevision: 1 })).code).toBe('CONFLICT');
    expect(await read(server, id)).toEqual(credential);
  });
});

describe('the next secret', () => {
  test.each([
    [{ prefix: 'my-', secretFormat: 'HEX' }, undefined, /^my-[0-9a-f]{128}$/],
    [{ prefix: 'my-' }, {}, /^my-[0-9A-Za-z]{43}$/],
    [{}, { secretFormat: 'BASE64' }, /^[0-9A-Za-z+/]{43}=$/],
    [{}, { prefix: 'new-', secretFormat: 'HEX' }, /^new-[0-9a-f]{128}$/],
  ])(
    'of an access key made with %j, asked for as %j, has that form, and its next one too',
    async (from, to, form) => {
      const { id, accessKey } = await made({ secret: { accessKey: from } });
      const secret = to === undefined ? {} : { secret: { accessKey: to } };
      const { issued } = await rotated({ id, ...secret });
      expect(issued).toMatchObject({ accessKey, secret: expect.stringMatching(form) });
      expect((await rotated({ id })).issued.secret).toMatch(form);
    },
  );

  test('of an access key for Veracode has a prefix that its signers take', async () => {
    const { id } = await made({ secret: { accessKey: { scheme: 'VERACODE_HMAC_SHA_256' } } });
    const answer = await rotate(server, { id, secret: { accessKey: { prefix: 'HB' } } });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', ['input.secret.accessKey.prefix']]);
    const { issued } = await rotated({ id, secret: { accessKey: { prefix: 'vera01es-' } } });
    expect(issued.secret).toMatch(/^vera01es-[0-9a-f]{128}$/);
  });

  test('of a token is under the same id, in the same form', async () => {
    const { id, accessKey } = await made({ secret: { token: { prefix: 'my-' } } });
    const { issued } = await rotated({ id });
    expect(issued.secret).toMatch(new RegExp(`^my-kw_key_${String(accessKey)}_`));
  });

  test('of a password is chosen, or made', async () => {
    const username = unique('ada');
    const { id } = await made({ secret: { password: { username } }, retrievable: true });
    const password = 'chosen password 2';
    const chosen = await rotated({
      id,
      secret: { password: { username: username.toUpperCase(), password } },
    });
    expect(chosen.issued).toMatchObject({ accessKey: username, secret: password });
    expect(expectData(await reveal(server, { id })).revealCredential.issued.secret).toBe(password);
    expect((await rotated({ id })).issued.secret).toMatch(/^[0-9A-Za-z]{32}$/);
  });

  test('of a provider is given by the caller', async () => {
    const keys = (secretKey: string) => ({ providerKeys: { s3: { accessKey: 'AKIA', secretKey } } });
    const { id } = await made({ secret: keys('first-secret-0001') });
    const { credential, issued } = await rotated({
      id,
      secret: keys('second-secret-0001'),
      gracePeriod: 'PT1H',
    });
    expect(credential.provider).toBe('S3');
    expect(issued).toMatchObject({
      accessKey: null,
      secret: null,
      keys: [
        { name: 'accessKey', value: 'AKIA' },
        { name: 'secretKey', value: 'second-secret-0001' },
      ],
    });
  });

  const s3 = { s3: { accessKey: 'AKIA', secretKey: 'MARKER-0001' } };
  const password = { username: 'somebody-else', password: 'MARKER-0001 MARKER' };
  test.each<[string, Record<string, unknown>, Record<string, unknown> | null, string]>([
    ['an access key as a token', { accessKey: {} }, { token: {} }, 'input.secret'],
    ['a token as an access key', { token: {} }, { accessKey: {} }, 'input.secret'],
    ['a token as a password', { token: {} }, { password }, 'input.secret'],
    ['an access key as provider keys', { accessKey: {} }, { providerKeys: s3 }, 'input.secret'],
    [
      'a token with other permissions',
      { token: {} },
      { token: { permissions: [] } },
      'input.secret.token.permissions',
    ],
    [
      'a password of another user name',
      { password: { username: 'ada-rotated' } },
      { password },
      'input.secret.password.username',
    ],
    ['provider keys as themselves', { providerKeys: s3 }, null, 'input.secret'],
    [
      'provider keys as those of another',
      { providerKeys: s3 },
      { providerKeys: { aws: s3.s3 } },
      'input.secret.providerKeys',
    ],
    ['an access key as two kinds', { accessKey: {} }, { accessKey: {}, token: {} }, 'input.secret'],
  ])('S10: is refused for %s, by its place and without a value', async (_, from, to, path) => {
    const { id } = await made({ secret: from });
    const before = await read(server, id);
    const answer = await rotate(server, { id, secret: to });
    expect([answer.code, faultPaths(answer)]).toEqual(['BAD_USER_INPUT', [path]]);
    expect(answer.text).not.toContain('MARKER-0001');
    expect(await read(server, id)).toEqual(before);
  });

  test('S41: is shown in the answer and kept nowhere plain', async () => {
    const first = await made({ secret: { token: {} } });
    const { issued } = await rotated({ id: first.id, gracePeriod: 'PT1H', idempotencyKey: unique('rotate') });
    expect(await placesOf(server, [String(first.secret), issued.secret])).toEqual([]);
  });
});

describe('the answer', () => {
  test.each([
    ['POSIX', (name: string, value: string) => `export KEYWAY_${name}='${value}'`],
    ['FISH', (name: string, value: string) => `set -gx KEYWAY_${name} '${value}'`],
    ['POWERSHELL', (name: string, value: string) => `$env:KEYWAY_${name} = '${value}'`],
  ])('S49: has lines for %s that set the new pair', async (shell, line) => {
    const { id } = await made();
    const answer = await server.ask(
      `mutation ($id: ID!, $shell: Shell) {
        rotateCredential(input: { id: $id }) { issued { accessKey secret exports(shell: $shell) } }
      }`,
      { id, shell },
    );
    const { accessKey, secret, exports } = expectData(answer).rotateCredential.issued;
    expect(exports).toBe([line('ACCESS_KEY', accessKey), line('SECRET', secret)].join('\n'));
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('shows the rotation as a node of its own, with who began it', async () => {
    const { id } = await made();
    const { credential } = await rotated({ id, gracePeriod: 'PT1H' });
    const answer = await server.ask(
      `query ($id: ID!) { viewer { id } node(id: $id) { __typename ... on Rotation {
        state credential { id } startedBy { id } from { number state } to { number state } failure safeToRetire } } }`,
      { id: credential.rotation.id },
    );
    const { viewer, node } = expectData(answer);
    expect(node).toEqual({
      __typename: 'Rotation',
      state: 'SWITCHED',
      credential: { id },
      startedBy: viewer,
      from: { number: 1, state: 'PREVIOUS' },
      to: { number: 2, state: 'CURRENT' },
      failure: null,
      safeToRetire: true,
    });
  });

  test('says that a previous secret in use is not safe to retire', async () => {
    const name = unique('token');
    const { id } = await made({ name, secret: { token: {} } });
    await rotated({ id, gracePeriod: 'PT1H' });
    await server.rows(
      `UPDATE credential_versions v SET last_used_at = now() FROM credentials c
       WHERE c.id = v.credential_id AND c.name = :name AND v.number = 1`,
      { name },
    );
    expect((await read(server, id)).rotation.safeToRetire).toBe(false);
  });

  test('says that a previous secret that something temporary lives by is not safe to retire', async () => {
    const { id } = await made();
    const pair = await derived(server, id);
    await rotated({ id, gracePeriod: 'PT1H' });
    const safe = async () => (await read(server, id)).rotation.safeToRetire as boolean;
    expect(await safe()).toBe(false);
    // Disabled is not ended: it would be missed once it is enabled again.
    expectData(await update(server, { id: pair.id, enabled: false }));
    expect(await safe()).toBe(false);
    await derived(server, id);
    expectData(await revoke(server, { id: pair.id }));
    expect(await safe()).toBe(true);
  });

  test('says so up to the end of that, by the clock of the database', async () => {
    const { id } = await made();
    const pair = await derived(server, id);
    await rotated({ id, gracePeriod: 'PT1H' });
    await server.rows('UPDATE credentials SET expires_at = now() WHERE access_key = :key', {
      key: pair.accessKey,
    });
    expect((await read(server, id)).rotation.safeToRetire).toBe(true);
  });

  test('moves the next rotation of a policy on', async () => {
    const name = unique('due');
    const { id } = await made({ name, rotationPolicy: { every: 'P30D', gracePeriod: 'PT0S' } });
    await server.rows(
      "UPDATE credentials SET rotation_due_at = now() + interval '1 hour' WHERE name = :name",
      { name },
    );
    const due = await server.ask(
      `query ($before: DateTime) {
        credentials(filter: { rotationDueBefore: $before, search: "${name}" }) { nodes { id } } }`,
      { before: inDays(1) },
    );
    expect(expectData(due).credentials.nodes).toEqual([{ id }]);
    const { credential } = await rotated({ id });
    const dueMs = Date.parse(credential.rotationPolicy.nextAt) - Date.parse(inDays(30));
    expect(Math.abs(dueMs)).toBeLessThan(60_000);
  });

  test('S60: leaves one audit row', async () => {
    const { id } = await made();
    await rotated({ id });
    const audit = await server.ask(
      `query ($id: ID!) { auditEvents(filter: { target: [$id] }) { nodes { action outcome changed } } }`,
      { id },
    );
    expect(expectData(audit).auditEvents.nodes).toEqual([
      { action: 'credential:rotate', outcome: 'DONE', changed: ['secret'] },
      { action: 'credential:create', outcome: 'DONE', changed: [] },
    ]);
  });
});

describe('who may', () => {
  test.each([
    ['revoked', revoke],
    ['deleted', remove],
  ])('is CONFLICT for what is %s', async (_, end) => {
    const { id } = await made();
    expectData(await end(server, { id }));
    const before = await read(server, id);
    expect((await rotate(server, { id })).code).toBe('CONFLICT');
    expect(await read(server, id)).toEqual(before);
  });

  test('the owner may, and is shown the secret', async () => {
    const owner = await makeCaller(server);
    const { id } = await made({ owner: owner.id });
    const answer = await rotate(server, { id }, { token: owner.token });
    expect(expectData(answer).rotateCredential.issued.secret).toEqual(expect.any(String));
  });

  test('a caller may rotate the token that it calls with', async () => {
    const caller = await makeCaller(server);
    const answer = await rotate(server, { id: caller.credential }, { token: caller.token });
    const { secret } = expectData(answer).rotateCredential.issued;
    expect([await statusWith(server, caller.token), await statusWith(server, secret)]).toEqual([401, 200]);
  });

  test('S30: answers NOT_FOUND to one who may not see the credential, FORBIDDEN to one who only may', async () => {
    const stranger = await makeCaller(server);
    const reader = await makeCaller(server, ['CREDENTIAL_READ'], { onAccount: account });
    const { id } = await made();
    expect((await rotate(server, { id }, { token: stranger.token })).code).toBe('NOT_FOUND');
    expect((await rotate(server, { id }, { token: reader.token })).code).toBe('FORBIDDEN');
    expect(states((await read(server, id)).versions)).toEqual(['1 CURRENT']);
  });
});

const wiped = (number: number) => ({
  number,
  state: 'RETIRED',
  passwordHash: null,
  verifier: false,
  verifierKey: false,
  pepper: false,
  sealed: false,
  kek: false,
});
