import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../src/database/database.js';
import { parseId } from '../../src/ids.js';
import { makeStore, seqeraAt } from '../stores/stores.js';
import { makeAccount, makeCaller, makeCredential, makeProject, unique } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { run } from '../support/verbs.js';
import { waitingDeeds } from '../support/waiting.js';
import { startSeqera, type Seqera } from '../upstreams/seqera.js';

// What a caller decided on is somewhere else by the time that it is locked: where the caller may do nothing.

let server: TestServer;
let seqera: Seqera;
beforeAll(async () => {
  seqera = await startSeqera();
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

type Input = Record<string, unknown>;
const keys = () => ({ providerKeys: { github: { username: 'bot', password: unique('password') } } });
const uuidOf = (id: string) => parseId(id)?.uuid ?? '';

/** The verbs for a credential, and what of their input is not its id. */
const verbs: [string, (outside: boolean) => Input][] = [
  ['updateCredential', () => ({ description: 'changed' })],
  ['rotateCredential', (outside) => (outside ? { secret: keys() } : {})],
  ['revealCredential', () => ({})],
  ['revokeCredential', () => ({})],
  ['deleteCredential', () => ({})],
  ['issueTemporaryCredential', () => ({})],
];
const rows = verbs.flatMap(([verb, input]) =>
  [false, true]
    // Seqera issues nothing.
    .filter((outside) => !(outside && verb === 'issueTemporaryCredential'))
    .map((outside) => ({ verb, input, outside, where: outside ? 'outside' : 'here' })),
);

// The embedded database has one connection: nobody waits for a lock there.
if (process.env['TEST_DATABASE_URL'])
  test.each(rows)(
    'S23: $verb ($where) is not done to what was moved away',
    async ({ verb, input, outside }) => {
      const account = await makeAccount(server);
      const [here, there] = [await makeProject(server, account), await makeProject(server, account)];
      const permissions = ['READ', 'UPDATE', 'ROTATE', 'REVEAL', 'REVOKE', 'CREATE'].map(
        (one) => `CREDENTIAL_${one}`,
      );
      const caller = await makeCaller(server, permissions, { onProject: here });
      const made = await makeCredential(server, account, {
        project: here,
        ...(outside
          ? { store: await makeStore(server, account, seqeraAt(seqera)), secret: keys() }
          : { retrievable: true }),
      });
      const given = { [verb === 'issueTemporaryCredential' ? 'parent' : 'id']: made.id, ...input(outside) };
      const calls = seqera.calls.length;
      const answering = await server.db.transaction(async (tx) => {
        await tx.rows(sql('UPDATE credentials SET project_id = :there WHERE id = :id RETURNING id'), {
          id: uuidOf(made.id),
          there: uuidOf(there),
        });
        const asked = run(server, verb, given, { token: caller.token });
        while ((await waitingDeeds(server)) === 0) await sleep(5);
        return [asked] as const;
      });
      const { code, data } = await answering[0];
      expect([code, data]).toEqual(['NOT_FOUND', null]);
      // As whoever asks by now is answered.
      expect((await run(server, verb, given, { token: caller.token })).code).toBe('NOT_FOUND');
      expect(seqera.calls).toHaveLength(calls);
      const text = "SELECT action FROM audit_events WHERE actor_id = :id AND outcome = 'DONE'";
      expect(await server.rows(text, { id: uuidOf(caller.id) })).toEqual([]);
    },
  );
else
  test('S23: what is not seen is not locked', async () => {
    const account = await makeAccount(server);
    const project = await makeProject(server, account);
    const caller = await makeCaller(server, ['CREDENTIAL_READ', 'CREDENTIAL_REVOKE'], { onProject: project });
    const { id } = await makeCredential(server, account);
    expect((await run(server, 'revokeCredential', { id }, { token: caller.token })).code).toBe('NOT_FOUND');
  });
