import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  unique,
  type Made,
} from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';

type Input = Record<string, unknown>;

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** An organization, somebody who makes credentials there, and a service that verifies them; neither sees any other. */
async function makeTenant() {
  const account = await makeAccount(server);
  const [maker, verifier] = [
    await makeCaller(server, ['CREDENTIAL_CREATE', 'CREDENTIAL_READ', 'PROJECT_READ'], {
      onAccount: account,
    }),
    await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account }),
  ];
  return { account, maker: maker.token, verifier: verifier.token };
}
type Tenant = Awaited<ReturnType<typeof makeTenant>>;

const passwordOf = (username: string) => ({ secret: { password: { username } } });
const create = ({ account, maker }: Pick<Tenant, 'account' | 'maker'>, username: string, more: Input = {}) =>
  server.ask(
    `mutation ($input: CreateCredentialInput!) {
      createCredential(input: $input) { credential { id accessKey } issued { accessKey secret } } }`,
    { input: { account, name: 'A user', ...passwordOf(username), ...more } },
    { token: maker },
  );
const makeUser = async (tenant: Tenant, username: string, more: Input = {}): Promise<Made> => {
  const { credential, issued } = expectData(await create(tenant, username, more)).createCredential;
  return { id: credential.id, ...issued };
};

/** The code, and which credential is told of. */
async function verify(username: string, secret: unknown, token: string, more: Input = {}) {
  const answer = await server.ask(
    'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code credential { id } } }',
    { input: { accessKey: username, proof: { secret }, ...more } },
    { token },
  );
  const { code, credential } = expectData(answer).verifyCredential;
  return [code, credential?.id ?? null] as [string, string | null];
}
const wrong = 'not the password of anybody';

describe('S30: a user name belongs to its account', () => {
  test('one that another has is answered as one that nobody has', async () => {
    const [one, other] = [await makeTenant(), await makeTenant()];
    const username = unique('ann');
    await makeUser(one, username);
    const taken = await create(other, username);
    const free = await create(other, unique('bob'));
    const shape = ({ data, status }: typeof taken) => [
      status,
      Object.keys(data.createCredential.credential as object),
    ];
    expect(taken.errors).toEqual([]);
    expect(shape(taken)).toEqual(shape(free));
  });

  test('S27: its own account has it once, in any spelling, until it is deleted', async () => {
    const tenant = await makeTenant();
    const username = unique('ann');
    const { id } = await makeUser(tenant, username);
    for (const spelling of [username, username.toUpperCase()])
      expect((await create(tenant, spelling)).code).toBe('CONFLICT');
    expectData(await run(server, 'revokeCredential', { id }));
    expect((await create(tenant, username)).code).toBe('CONFLICT');
    expectData(await run(server, 'deleteCredential', { id }));
    expectData(await create(tenant, username));
  });

  test('of many at once for one account one has it', async () => {
    const tenant = await makeTenant();
    const username = unique('ann');
    const answers = await Promise.all(Array.from({ length: 5 }, () => create(tenant, username)));
    expect(answers.map(({ code }) => code ?? 'done').sort()).toEqual([
      ...Array<string>(4).fill('CONFLICT'),
      'done',
    ]);
  });

  test('an account does not take over one that it has', async () => {
    const [one, other] = [await makeTenant(), await makeTenant()];
    const username = unique('ann');
    for (const tenant of [one, other]) await makeUser(tenant, username);
    const answer = await run(server, 'deleteAccount', { id: one.account, transferTo: other.account });
    expect(answer.code).toBe('CONFLICT');
    const left = await makeUser(one, unique('bob'));
    expect(left.secret).toEqual(expect.any(String));
  });
});

describe('S24: of accounts with the same user name', () => {
  test('each verifies its own, and learns nothing of the other', async () => {
    const [one, other] = [await makeTenant(), await makeTenant()];
    const username = unique('ann');
    const [ann, otherAnn] = [await makeUser(one, username), await makeUser(other, username)];
    expect(await verify(username, ann.secret, one.verifier)).toEqual(['VALID', ann.id]);
    expect(await verify(username.toUpperCase(), otherAnn.secret, other.verifier)).toEqual([
      'VALID',
      otherAnn.id,
    ]);
    expect(await verify(username, otherAnn.secret, one.verifier)).toEqual(['NOT_VALID', null]);
    expect(await verify(username, ann.secret, other.verifier)).toEqual(['NOT_VALID', null]);
  });

  test('who verifies for both finds the one whose password it is, or that of the project that it names', async () => {
    const [one, other] = [await makeTenant(), await makeTenant()];
    const username = unique('ann');
    const [project, otherProject] = [
      await makeProject(server, one.account),
      await makeProject(server, other.account),
    ];
    const ann = await makeUser(one, username, { project });
    const otherAnn = await makeUser(other, username, { project: otherProject });
    const { token } = await makeCaller(server, ['CREDENTIAL_VERIFY']);
    for (const made of [ann, otherAnn])
      expect(await verify(username, made.secret, token)).toEqual(['VALID', made.id]);
    expect(await verify(username, ann.secret, token, { project })).toEqual(['VALID', ann.id]);
    expect(await verify(username, ann.secret, token, { project: otherProject })).toEqual(['NOT_VALID', null]);
    expect(await verify(username, otherAnn.secret, token, { project: otherProject })).toEqual([
      'VALID',
      otherAnn.id,
    ]);
    expect(await verify(username, wrong, token)).toEqual(['NOT_VALID', null]);
  });

  test('of however many, the one in the project that is named is found', async () => {
    const username = unique('ann');
    const { token } = await makeCaller(server, ['CREDENTIAL_VERIFY']);
    const projects: string[] = [];
    const users: Made[] = [];
    const account = await makeAccount(server);
    const input = { name: 'A user', ...passwordOf(username) };
    for (let made = 0; made < 8; made++) {
      const part = await makeAccount(server, { parent: account });
      const project = await makeProject(server, part);
      projects.push(project);
      users.push(await makeCredential(server, part, { ...input, project }));
    }
    for (const [index, { id, secret }] of users.entries())
      expect(await verify(username, secret, token, { project: projects[index] })).toEqual(['VALID', id]);
    const inputs = users.map(({ secret }, index) => ({
      accessKey: username,
      proof: { secret },
      project: projects[index],
    }));
    const answer = await server.ask(
      'mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { credential { id } } }',
      { inputs },
      { token },
    );
    const found = expectData(answer).verifyCredentials as { credential: { id: string } | null }[];
    expect(found.map(({ credential }) => credential?.id)).toEqual(users.map(({ id }) => id));
  });

  test('S26: wrong passwords for one lock the other no more than a stranger', async () => {
    const [one, other] = [await makeTenant(), await makeTenant()];
    const username = unique('ann');
    const [ann, otherAnn] = [await makeUser(one, username), await makeUser(other, username)];
    for (let tried = 0; tried < 5; tried++)
      expect((await verify(username, wrong, one.verifier))[0]).toBe('NOT_VALID');
    expect((await verify(username, ann.secret, one.verifier))[0]).toBe('RATE_LIMITED');
    expect(await verify(username, otherAnn.secret, other.verifier)).toEqual(['VALID', otherAnn.id]);
  });

  test('right passwords, however many, lock neither', async () => {
    const [one, other] = [await makeTenant(), await makeTenant()];
    const username = unique('ann');
    const [ann, otherAnn] = [await makeUser(one, username), await makeUser(other, username)];
    const { token } = await makeCaller(server, ['CREDENTIAL_VERIFY']);
    for (let asked = 0; asked < 7; asked++)
      for (const made of [ann, otherAnn])
        expect(await verify(username, made.secret, token)).toEqual(['VALID', made.id]);
  });
});

test('an access key is still one of its store alone', async () => {
  const { accessKey } = await makeCredential(server, await makeAccount(server));
  const again = server.rows(
    `INSERT INTO credentials (id, store_id, account_id, name, kind, access_key)
     SELECT gen_random_uuid(), store_id, account_id, name, kind, access_key FROM credentials WHERE access_key = :accessKey`,
    { accessKey },
  );
  await expect(again).rejects.toThrow('credentials_access_key');
});
