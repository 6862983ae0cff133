import { expectData, makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import type { Fault } from '../../upstreams/stand-in.js';
import { rowOf } from '../due/due.js';
import { Trial, type Step } from './trial.js';
import { apinizer, seqera, veracode } from './vendors.js';

// The store's answer comes when somebody else has the lease: whatever it is, whoever had the lease before changes
// nothing. The store is asked nothing more for as long, so that what was changed is not made good before it is looked at.

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
});
afterAll(() => server.stop());

const answers: Record<string, Fault | undefined> = {
  'that it is done': undefined,
  'a refusal': { kind: 'fail', status: 403 },
  'that it is too busy': { kind: 'fail', status: 429 },
  'none at all': { kind: 'drop' },
};
const writes: [string, Pick<Step, 'verb' | 'vendor'>][] = [
  ['what is made', { verb: 'create', vendor: seqera }],
  ['what is rotated, by keys of the caller', { verb: 'rotate', vendor: seqera }],
  ['what is rotated, by keys of the store', { verb: 'rotate', vendor: veracode }],
  ['what is changed', { verb: 'update', vendor: apinizer }],
  ['what is revoked', { verb: 'revoke', vendor: seqera }],
];
const tables = {
  intents: 'SELECT * FROM intents WHERE credential_id = :id ORDER BY id',
  credentials: 'SELECT * FROM credentials WHERE id = :id',
  versions: 'SELECT * FROM credential_versions WHERE credential_id = :id ORDER BY number',
  rotations: 'SELECT * FROM rotations WHERE credential_id = :id ORDER BY id',
  audit: 'SELECT * FROM audit_events WHERE target_id = :id ORDER BY id',
};

/** The rows of a credential, each table as one text: there are secrets among them, which no failure is to print. */
const rowsOf = (id: string) =>
  Promise.all(
    Object.entries(tables).map(async ([name, text]) => ({
      name,
      rows: JSON.stringify(await server.rows(text, { id })),
    })),
  );

/** The tables that are otherwise after the answer came than they were before. */
async function changedBy(trial: Trial, fault: Fault | undefined): Promise<string[]> {
  const { step } = trial;
  try {
    await trial.prepare();
    const { standIn, writes: requests } = trial.vendor;
    const match = requests[step.verb];
    if (fault) standIn.meet(fault, match);
    const standing = standIn.hold('after', match);
    const sent = trial.send();
    const held = await standing;
    const id = rowOf((await trial.seen()).id);
    const taken = await server.rows(
      `UPDATE intents SET fence = fence + 1, lease_until = now() + interval '1 hour', next_at = now() + interval '1 hour'
       WHERE credential_id = :id AND state = 'OPEN' RETURNING id`,
      { id },
    );
    expect(taken).toHaveLength(1);
    const before = await rowsOf(id);
    held.release();
    expect((await sent).code).toBe('OUTCOME_UNKNOWN');
    const after = await rowsOf(id);
    return before.filter(({ rows }, index) => rows !== after[index]?.rows).map(({ name }) => name);
  } finally {
    await trial.vendor.standIn.stop();
  }
}

test('R12: an answer for another lease leaves all as it was, whatever was to be done', async () => {
  const cases: { name: string; trial: Trial; fault: Fault | undefined }[] = [];
  // One after another: no more connections are tried at once than Keyway lets.
  for (const [name, step] of writes)
    for (const [answer, fault] of Object.entries(answers)) {
      const trial = await Trial.open('lost', { ...step, ends: 'done' }, server, await makeAccount(server));
      cases.push({ name: `${name}, answered ${answer}`, trial, fault });
    }
  // At once, since whoever asked waits for some seconds before it is told that nobody knows.
  const changed = await Promise.all(cases.map(({ trial, fault }) => changedBy(trial, fault)));
  expect(cases.map(({ name }, index) => [name, changed[index]])).toEqual(cases.map(({ name }) => [name, []]));
});

test('and settles what is its own', async () => {
  const step: Step = { verb: 'rotate', vendor: seqera, ends: 'done' };
  const trial = await Trial.open('kept', step, server, await makeAccount(server));
  try {
    await trial.prepare();
    expectData(await trial.send());
    expect((await trial.seen()).rotation?.state).toBe('FINISHED');
  } finally {
    await trial.vendor.standIn.stop();
  }
});
