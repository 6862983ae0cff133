import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { read, rotate, statusWith } from './verbs.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** The credential once its use is noted, within two seconds. */
async function onceUsed(id: string) {
  for (let attempt = 0; attempt < 40; attempt++) {
    const credential = await read(server, id);
    if (credential.lastUsedAt !== null) return credential;
    await sleep(50);
  }
  throw new Error('the use was not noted');
}

test('the use of a token is noted, for the credential and the version that was used', async () => {
  const { id, secret } = await makeCredential(server, await makeAccount(server), { secret: { token: {} } });
  expect(await read(server, id)).toMatchObject({ lastUsedAt: null, versions: [{ lastUsedAt: null }] });
  const next = expectData(await rotate(server, { id, gracePeriod: 'PT1H' })).rotateCredential.issued.secret;
  expect(await statusWith(server, String(secret))).toBe(200);
  const first = await onceUsed(id);
  expect(Math.abs(Date.parse(first.lastUsedAt) - Date.now())).toBeLessThan(10_000);
  expect(first.versions).toMatchObject([{ lastUsedAt: null }, { lastUsedAt: first.lastUsedAt }]);
  expect(first.revision).toBe(2);

  expect(await statusWith(server, next)).toBe(200);
  for (let attempt = 0; attempt < 40; attempt++) {
    const { lastUsedAt, versions } = await read(server, id);
    if (versions[0].lastUsedAt !== null) {
      expect(versions[0].lastUsedAt).toBe(lastUsedAt);
      expect(lastUsedAt >= first.lastUsedAt).toBe(true);
      expect(versions[1].lastUsedAt).toBe(first.lastUsedAt);
      return;
    }
    await sleep(50);
  }
  throw new Error('the use of the new secret was not noted');
});

test('a refused use is not noted', async () => {
  const { id, secret } = await makeCredential(server, await makeAccount(server), {
    secret: { token: {} },
    enabled: false,
  });
  const used = await makeCaller(server);
  expect(await statusWith(server, String(secret))).toBe(401);
  expect(await statusWith(server, used.token)).toBe(200);
  await onceUsed(used.credential);
  expect((await read(server, id)).lastUsedAt).toBeNull();
});

test('what was not used for some time is found by it, from its creation on where it was never used', async () => {
  const account = await makeAccount(server);
  const names = ['never', 'lately', 'long-ago', 'new'].map((name) => unique(name));
  const [never = '', lately = '', longAgo = ''] = names;
  for (const name of names) await makeCredential(server, account, { name });
  const age = async (name: string, days: number, used: number | null) => {
    await server.rows(
      `UPDATE credential_uses u SET
         unused_since = now() - CAST(:since AS integer) * interval '1 day',
         last_used_at = CASE WHEN CAST(:used AS boolean) THEN now() - CAST(:since AS integer) * interval '1 day'
           ELSE u.last_used_at END
       FROM credentials c WHERE c.id = u.credential_id AND c.name = :name`,
      { name, since: used ?? days, used: used !== null },
    );
    await server.rows(
      `UPDATE credentials SET created_at = now() - CAST(:days AS integer) * interval '1 day' WHERE name = :name`,
      { name, days },
    );
  };
  await age(never, 91, null);
  await age(lately, 91, 3);
  await age(longAgo, 400, 100);
  const unused = async (unusedFor: string) => {
    const answer = await server.ask(
      `query ($account: [ID!], $unusedFor: Duration) {
        credentials(filter: { account: $account, unusedFor: $unusedFor }, orderBy: { by: NAME, direction: ASC }) {
          totalCount nodes { name lastUsedAt } } }`,
      { account: [account], unusedFor },
    );
    const { totalCount, nodes } = expectData(answer).credentials;
    expect(totalCount).toBe(nodes.length);
    return nodes.map(({ name }: { name: string }) => name);
  };
  expect(await unused('P90D')).toEqual([longAgo, never].sort());
  expect(await unused('P2D')).toEqual([lately, longAgo, never].sort());
  expect(await unused('P95D')).toEqual([longAgo]);
  expect(await unused('PT0S')).toEqual([...names].sort());
});
