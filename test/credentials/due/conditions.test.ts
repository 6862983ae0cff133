import { newId } from '../../../src/ids.js';
import { openOutbound } from '../../../src/outbound/outbound.js';
import { makeAccount, makeCredential } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { partsOf, rotateDue, rowOf, setDue } from './due.js';

// What is due turns by itself where it works, its new secret can be had, and nothing is under way: one credential for
// each thing that keeps it from turning, and some that something is the matter with which does not.

let server: TestServer;
const outbound = openOutbound({ allowedRanges: [], local: true });
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await outbound.close();
  await server.stop();
});

interface Case {
  input?: () => Promise<Record<string, unknown>>;
  /** What is set of it before it is due, in SQL for a credential `:id`. */
  set?: string;
  /** That it is not set to be due afterwards. */
  notDue?: true;
  turns?: true;
}

const columns = (assignments: string) => `UPDATE credentials SET ${assignments} WHERE id = :id RETURNING id`;
const ofAccount = (column: 'account_id' | 'owner_id', assignment: string) =>
  `UPDATE accounts SET ${assignment} WHERE id = (SELECT ${column} FROM credentials WHERE id = :id) RETURNING id`;
const intent = (verb: string, state: string) =>
  `INSERT INTO intents (id, credential_id, store_id, verb, state, lease_until, next_at, request_id)
   SELECT '${newId()}', id, store_id, '${verb}', '${state}', 'infinity', 'infinity', 'none' FROM credentials
   WHERE id = :id RETURNING id`;
const previous = (until: string) =>
  `INSERT INTO credential_versions (credential_id, number, state, valid_until)
   VALUES (:id, 2, 'PREVIOUS', now() + interval '${until}') RETURNING number`;
const owned = async () => ({ owner: await makeAccount(server) });
const aws = { aws: { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'k'.repeat(40) } };

const cases: Record<string, Case> = {
  'as it is to be': { turns: true },
  'a token': { input: async () => ({ secret: { token: {} } }), turns: true },
  'with an owner': { input: owned, turns: true },
  'in its grace period': { set: columns("rotating_until = now() + interval '1 hour'"), turns: true },
  'with an end to come': { set: columns("expires_at = now() + interval '1 hour'"), turns: true },
  'with the previous secret to end yet': { set: intent('RETIRE', 'OPEN'), turns: true },
  'with a change that is done': { set: intent('UPDATE', 'DONE'), turns: true },
  'with a policy that is not due': { notDue: true },
  'without a policy': {
    set: columns('rotation_due_at = NULL, rotate_every = NULL, rotate_grace = NULL'),
    notDue: true,
  },
  'that cannot be revealed': { set: columns('retrievable = false') },
  'of a provider': { input: async () => ({ secret: { providerKeys: aws } }) },
  'that Keyway reaches a store with': { set: columns('reaches_store = true') },
  // It keeps its terms from then on, so that it is due by the same statement.
  'that is temporary': {
    notDue: true,
    set: columns(
      `rotation_due_at = now() - interval '1 second', parent_id = (SELECT p.id FROM credentials p
       WHERE p.id <> :id AND p.store_id = credentials.store_id AND p.revoked_at IS NULL LIMIT 1)`,
    ),
  },
  disabled: { input: async () => ({ enabled: false }) },
  expired: { set: columns("expires_at = now() - interval '1 second'") },
  revoked: { set: columns('revoked_at = now()') },
  deleted: { set: columns('deleted_at = now(), revoked_at = now()') },
  'gone from its store': { set: columns('gone_at = now()') },
  'of which nobody knows': { set: columns("standing = 'UNKNOWN'") },
  'that is not made yet': { set: columns("standing = 'PENDING'") },
  'of a disabled account': { set: ofAccount('account_id', 'enabled = false') },
  'of a deleted account': { set: ofAccount('account_id', 'deleted_at = now()') },
  'of a disabled owner': { input: owned, set: ofAccount('owner_id', 'enabled = false') },
  'of a deleted owner': { input: owned, set: ofAccount('owner_id', 'deleted_at = now()') },
  'whose previous secret is promised to work yet': { set: previous('1 hour') },
  'whose previous secret has ended': { set: previous('-1 hour'), turns: true },
  'that is being changed': { set: intent('UPDATE', 'OPEN') },
  'that is being ended': { set: intent('REVOKE', 'OPEN') },
};

test('of what is due, that turns which can, and nothing else', async () => {
  const made: { name: string; id: string }[] = [];
  for (const [name, { input }] of Object.entries(cases)) {
    const { id } = await makeCredential(server, await makeAccount(server), {
      retrievable: true,
      rotationPolicy: { every: 'P30D', gracePeriod: 'PT1H' },
      ...(await input?.()),
    });
    made.push({ name, id: rowOf(id) });
  }
  for (const { name, id } of made) {
    const { set } = cases[name] ?? {};
    if (set) expect(await server.rows(set, { id })).toHaveLength(1);
  }
  // The last that is set: from now on the server's own job turns them as well.
  await setDue(server, ...made.filter(({ name }) => !cases[name]?.notDue).map(({ id }) => id));
  const turned = async () => {
    const rows = await server.rows<{ id: string }>(
      "SELECT DISTINCT credential_id AS id FROM credential_versions WHERE number > 1 AND state <> 'PREVIOUS'",
    );
    return made.filter(({ id }) => rows.some((row) => row.id === id)).map(({ name }) => name);
  };
  const running = await partsOf(server, outbound);
  const wanted = Object.keys(cases).filter((name) => cases[name]?.turns);
  while ((await rotateDue(running, 0)) > 0 && (await turned()).length < wanted.length);
  // What should not turn had its chance as well.
  for (let count = 0; count < 3; count++) await rotateDue(running, 0);
  expect(await turned()).toEqual(wanted);
});
