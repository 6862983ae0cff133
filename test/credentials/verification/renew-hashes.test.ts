import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from '@node-rs/argon2';
import { parseId } from '../../../src/ids.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { rotate, statusWith } from '../verbs.js';

interface Known {
  id: string;
  input: { accessKey?: string; proof: { secret: string } };
}

const makers: Record<string, () => Promise<Known>> = {
  'an access key': async () => {
    const { id, accessKey, secret } = await makeCredential(server, account);
    return { id, input: { accessKey: String(accessKey), proof: { secret: String(secret) } } };
  },
  'a token': async () => {
    const { id, secret } = await makeCredential(server, account, { secret: { token: {} } });
    return { id, input: { proof: { secret: String(secret) } } };
  },
  'a password': () => makePassword(),
};
async function makePassword(): Promise<Known> {
  const username = unique('user');
  const secret = 'correct horse battery';
  const { id } = await makeCredential(server, account, {
    secret: { password: { username, password: secret } },
  });
  return { id, input: { accessKey: username, proof: { secret } } };
}
const kinds = Object.keys(makers);

let server: TestServer;
let account: string;
/** Of each kind some that were made under the keys k1. By now k2 are current. */
const old = new Map<string, Known[]>();
let callers: { token: string; credential: string }[];

beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  for (const [kind, make] of Object.entries(makers))
    old.set(kind, await Promise.all([make(), make(), make(), make()]));
  callers = [await makeCaller(server), await makeCaller(server)];
  await server.restart(async () => {
    for (const kind of ['verifier', 'pepper']) {
      const { keys } = keysOf(kind);
      const added = { ...keys, k2: randomBytes(32).toString('base64') };
      writeFileSync(pathOf(kind), JSON.stringify({ current: 'k2', keys: added }), { mode: 0o600 });
    }
  });
});
afterAll(() => server.stop());

const pathOf = (kind: string) => join(server.dataDir, 'keys', `${kind}.json`);
const keysOf = (kind: string) =>
  JSON.parse(readFileSync(pathOf(kind), 'utf8')) as { current: string; keys: Record<string, string> };

async function code(input: object): Promise<string> {
  const answer = await server.ask(
    'mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }',
    { input },
  );
  return expectData(answer).verifyCredential.code;
}

/** What each version keeps, newest first. */
const kept = (id: string) =>
  server.rows<{
    verifier: string | null;
    verifierKey: string | null;
    hash: string | null;
    pepper: string | null;
  }>(
    `SELECT encode(verifier, 'hex') AS verifier, verifier_key_id AS "verifierKey", password_hash AS hash, pepper_id AS pepper
     FROM credential_versions WHERE credential_id = :id ORDER BY number DESC`,
    { id: uuidOf(id) },
  );

const uuidOf = (id: string): string => parseId(id)?.uuid ?? '';
const wrong = ({ input }: Known) => ({ ...input, proof: { secret: `${input.proof.secret}x` } });

describe.each(kinds)('%s of before the keys were changed', (kind) => {
  const anOldOne = () => {
    const one = old.get(kind)?.pop();
    if (!one) throw new Error('there are enough of them');
    return one;
  };
  const keptBy = (key: string) =>
    expect.objectContaining(kind === 'a password' ? { pepper: key } : { verifierKey: key }) as object;

  test('is good, and kept by the current key from then on', async () => {
    const one = anOldOne();
    const before = await kept(one.id);
    expect(before).toEqual([keptBy('k1')]);
    expect(await code(wrong(one))).toBe('NOT_VALID');
    expect(await kept(one.id)).toEqual(before);
    expect(await code(one.input)).toBe('VALID');
    const after = await kept(one.id);
    expect(after).toEqual([keptBy('k2')]);
    expect(secretsIn(after)).not.toEqual(secretsIn(before));
    expect(await code(one.input)).toBe('VALID');
    expect(await code(wrong(one))).toBe('NOT_VALID');
    expect(await kept(one.id)).toEqual(after);
  });

  test('is left as it is where its secret was replaced meanwhile', async () => {
    const one = anOldOne();
    const next = await replacedMeanwhile(one, () => code(one.input));
    const [current, previous, ...others] = await kept(one.id);
    expect([current, previous, others]).toEqual([
      keptBy('k2'),
      { verifier: null, verifierKey: null, hash: null, pepper: null },
      [],
    ]);
    expect(await code(one.input)).toBe('NOT_VALID');
    expect(await code(next)).toBe('VALID');
  });

  test('R15: is good, and left as it is, where it cannot be written', async () => {
    const one = anOldOne();
    const before = await kept(one.id);
    await whileReadOnly(async () => expect(await code(one.input)).toBe('VALID'));
    expect(await kept(one.id)).toEqual(before);
    expect(await code(one.input)).toBe('VALID');
    expect(await kept(one.id)).toEqual([keptBy('k2')]);
  });

  test('is left as it is where it does not work', async () => {
    const one = anOldOne();
    const before = await kept(one.id);
    expectData(
      await server.ask(
        'mutation ($id: ID!) { updateCredential(input: { id: $id, enabled: false }) { credential { id } } }',
        { id: one.id },
      ),
    );
    expect(await code(one.input)).toBe('DISABLED');
    expect(await kept(one.id)).toEqual(before);
  });
});

test('a password whose hash was made with less is hashed anew', async () => {
  const one = await makePassword();
  const pepper = Buffer.from(keysOf('pepper').keys['k2'] ?? '', 'base64');
  const input = createHmac('sha256', pepper).update(one.input.proof.secret).digest();
  const less = await hash(input, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
  await server.rows(
    `UPDATE credential_versions SET password_hash = :less, pepper_id = 'k2' WHERE credential_id = :id`,
    { less, id: uuidOf(one.id) },
  );
  expect(await code(wrong(one))).toBe('NOT_VALID');
  expect((await kept(one.id))[0]?.hash).toBe(less);
  expect(await code(one.input)).toBe('VALID');
  expect((await kept(one.id))[0]?.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await code(one.input)).toBe('VALID');
});

describe("a caller's token of before the keys were changed", () => {
  const keptBy = (key: string) => [expect.objectContaining({ verifierKey: key })];
  const anOldOne = () => {
    const one = callers.pop();
    if (!one) throw new Error('there are enough of them');
    return one;
  };

  test('is taken, and kept by the current key from then on', async () => {
    const { token, credential } = anOldOne();
    expect(await kept(credential)).toEqual(keptBy('k1'));
    expect(await statusWith(server, token)).toBe(200);
    expect(await kept(credential)).toEqual(keptBy('k2'));
    expect(await statusWith(server, token)).toBe(200);
  });

  test('R15: is taken, and left as it is, where it cannot be written', async () => {
    const { token, credential } = anOldOne();
    await whileReadOnly(async () => expect(await statusWith(server, token)).toBe(200));
    expect(await kept(credential)).toEqual(keptBy('k1'));
  });
});

/** Runs the work while the table of secrets is read-only. */
async function whileReadOnly(work: () => Promise<void>): Promise<void> {
  await server.rows(`CREATE FUNCTION take_no_writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'MARKER-0001' USING ERRCODE = '25006'; END $$`);
  await server.rows(`CREATE TRIGGER take_no_writes BEFORE UPDATE ON credential_versions
    FOR EACH ROW EXECUTE FUNCTION take_no_writes()`);
  try {
    await work();
  } finally {
    await server.rows('DROP TRIGGER take_no_writes ON credential_versions');
    await server.rows('DROP FUNCTION take_no_writes');
  }
}

const secretsIn = (rows: readonly { verifier: string | null; hash: string | null }[]) =>
  rows.map(({ verifier, hash }) => [verifier, hash]);

/** Replaces the secret between the moment at which `work` has found it right and that at which it is made anew. */
async function replacedMeanwhile(one: Known, work: () => Promise<string>): Promise<object> {
  const { db } = server;
  const rows = db.rows.bind(db);
  let next: object | undefined;
  db.rows = async (statement, parameters) => {
    if (/^\s*UPDATE credential_versions v SET (verifier|password_hash) = made\./.test(statement.text)) {
      db.rows = rows;
      next = await replaced(one);
    }
    return rows(statement, parameters);
  };
  try {
    expect(await work()).toBe('VALID');
  } finally {
    db.rows = rows;
  }
  if (!next) throw new Error('nothing was made anew');
  return next;
}

async function replaced({ id, input }: Known): Promise<object> {
  const { accessKey, secret } = expectData(await rotate(server, { id })).rotateCredential.issued;
  return { ...(input.accessKey && { accessKey }), proof: { secret } };
}
