/**
 * @slow 40 s
 */
import { join } from 'node:path';
import { registry } from '../../src/connectors/registry.js';
import { CredentialKind } from '../../src/credentials/record/credential.js';
import { keepSecret } from '../../src/credentials/secret/keep-secret.js';
import { encodeId, newId, parseId } from '../../src/ids.js';
import type { Keyring } from '../../src/keyring/keyring.js';
import { mintAccessKey, mintToken } from '../../src/keyring/token.js';
import { openLog } from '../../src/log.js';
import { openOutbound } from '../../src/outbound/outbound.js';
import type { Secret } from '../../src/secret.js';
import { openKeys } from '../../src/start/keys.js';
import { openGates } from '../../src/stores/gate.js';
import { rotateDue } from '../credentials/due/due.js';
import { postVerify, verifyAll } from '../credentials/verification/verifying.js';
import { expectData, makeAccount, makeProject } from '../support/make.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { askSigned } from '../support/signing.js';

/** What there is to a credential. The first of each is as it is where nothing is the matter. */
const choices = {
  account: ['enabled', 'disabled', 'deleted'],
  owner: ['none', 'enabled', 'disabled', 'deleted'],
  parent: [
    'none',
    'living',
    'revoked',
    'expired',
    'disabled',
    'rotated away',
    'its account disabled',
    'its owner disabled',
    'deleted',
    'gone',
    'revoking',
    'elsewhere',
    'pending',
    'unknown',
    'expired and disabled',
  ],
  expiry: ['none', 'future', 'past'],
  revoked: [false, true],
  deleted: [false, true],
  enabled: [true, false],
  standing: ['KNOWN', 'PENDING', 'UNKNOWN', 'INVALID'],
  rotating: [false, true],
  gone: [false, true],
  revoking: [false, true],
  abandoned: [false, true],
} as const;
type Choices = typeof choices;
type Case = { [Name in keyof Choices]: Choices[Name][number] };

/** What is tried with all else at once. What is not among it is tried with two things else at a time. */
const crossed: { [Name in keyof Choices]?: readonly unknown[] } = {
  parent: choices.parent.slice(0, 8),
  enabled: [true],
  rotating: [false],
  revoking: [false],
  abandoned: [false],
};

const statuses =
  'ACTIVE ROTATING DISABLED EXPIRED REVOKED REVOKING ABANDONED DELETED GONE PENDING UNKNOWN INVALID'.split(
    ' ',
  );

/** The status as the documentation tells it. */
function statusOf(one: Case): string {
  if (one.abandoned) return 'ABANDONED';
  if (one.deleted) return 'DELETED';
  if (one.revoked) return 'REVOKED';
  if (one.revoking) return 'REVOKING';
  if (one.gone) return 'GONE';
  if (one.expiry === 'past') return 'EXPIRED';
  const stops = one.account !== 'enabled' || one.owner === 'disabled' || one.owner === 'deleted';
  if (!one.enabled || stops) return 'DISABLED';
  if (one.standing !== 'KNOWN') return one.standing;
  const byParent = {
    none: null,
    living: null,
    revoked: 'REVOKED',
    deleted: 'REVOKED',
    elsewhere: 'REVOKED',
    'rotated away': 'REVOKED',
    gone: 'GONE',
    revoking: 'REVOKING',
    expired: 'EXPIRED',
    'expired and disabled': 'EXPIRED',
    disabled: 'DISABLED',
    'its account disabled': 'DISABLED',
    'its owner disabled': 'DISABLED',
    pending: 'PENDING',
    unknown: 'UNKNOWN',
  }[one.parent];
  return byParent ?? (one.rotating ? 'ROTATING' : 'ACTIVE');
}

/** What whoever presents it is told, for each status. */
const codes: Readonly<Record<string, string>> = {
  ACTIVE: 'VALID',
  ROTATING: 'VALID',
  DISABLED: 'DISABLED',
  EXPIRED: 'EXPIRED',
  REVOKED: 'REVOKED',
  REVOKING: 'REVOKED',
  ABANDONED: 'NOT_VALID',
  DELETED: 'NOT_VALID',
  GONE: 'NOT_VALID',
  PENDING: 'NOT_VALID',
  UNKNOWN: 'NOT_VALID',
  INVALID: 'NOT_VALID',
};

const names = Object.keys(choices) as (keyof Choices)[];
const product = names.reduce<Record<string, unknown>[]>(
  (cases, name) => cases.flatMap((one) => choices[name].map((value) => ({ ...one, [name]: value }))),
  [{}],
) as Case[];
/** In how many ways it is not as it is where nothing is the matter. */
const odd = (one: Case) => names.filter((name) => one[name] !== choices[name][0]).length;
const isCrossed = (one: Case) => names.every((name) => crossed[name]?.includes(one[name]) ?? true);
const all = product.filter((one) => isCrossed(one) || odd(one) <= 3);
const pairs = product.filter((one) => odd(one) <= 2);

interface Made extends Case {
  id: string;
  accessKey: string;
  secret: Secret;
}

let server: TestServer;
let keyring: Keyring;
const accounts: Record<string, string> = {};
const parents: Record<string, string> = {};
let project: string;
let made: Made[];
const uuid = (id: string): string => parseId(id)?.uuid ?? '';

beforeAll(async () => {
  server = await startTestServer();
  const opened = await openKeys(server.db, join(server.dataDir, 'keys'), {});
  if (!opened.keyring) throw new Error('the keys of the server were not opened');
  keyring = opened.keyring;
  const administrator = await makeAccount(server);
  project = await makeProject(server, administrator);
  for (const name of ['enabled', 'disabled', 'deleted', 'owner', 'parents'])
    accounts[name] = uuid(await makeAccount(server));
  for (const name of choices.parent.slice(1)) parents[name] = newId();
  const { enabled, disabled } = accounts;
  await server.rows(insertParents, {
    rows: JSON.stringify(
      Object.entries(parents).map(([name, id]) => ({
        id,
        account: name === 'its account disabled' ? disabled : enabled,
        owner: name === 'its owner disabled' ? disabled : null,
        project: name === 'elsewhere' ? null : uuid(project),
        enabled: !name.endsWith('disabled') || name.startsWith('its'),
        standing: { pending: 'PENDING', unknown: 'UNKNOWN' }[name] ?? 'KNOWN',
        expired: name.startsWith('expired'),
        revoked: name === 'revoked',
        deleted: name === 'deleted',
        gone: name === 'gone',
        revoking: name === 'revoking',
        rotated: name === 'rotated away',
      })),
    ),
  });
  await server.rows('UPDATE accounts SET enabled = false WHERE id = :disabled RETURNING id', { disabled });
  await server.rows('UPDATE accounts SET deleted_at = now() WHERE id = :deleted RETURNING id', {
    deleted: accounts['deleted'],
  });
  made = await make(all);
  // A server counts its rows by itself, some time later.
  await server.db.source.query('ANALYZE');
}, 300_000);
afterAll(() => server.stop());

const accountOf = ({ account }: Case) => accounts[account] ?? '';
const ownerOf = ({ owner }: Case) =>
  owner === 'none' ? null : accounts[owner === 'enabled' ? 'owner' : owner];

/** Puts credentials into the tables, one for each case. */
async function make(
  cases: readonly Case[],
  kind: 'TOKEN' | 'ACCESS_KEY' = 'TOKEN',
  { due = false }: { due?: boolean } = {},
): Promise<Made[]> {
  const minted = cases.map((one) => {
    const id = newId();
    if (kind === 'ACCESS_KEY') return { ...one, id, proof: null, ...mintAccessKey({ format: 'HEX' }) };
    const { id: accessKey, token: secret } = mintToken('key');
    return { ...one, id, accessKey, secret, proof: secret };
  });
  const rows = await Promise.all(
    minted.map(async ({ proof, ...one }) => {
      const place = { id: one.id, accountId: accountOf(one), projectId: uuid(project) };
      const { accessKey, secret } = one;
      const prepared = { minted: { accessKey, secret, keys: null, proof: proof ?? secret }, password: null };
      const kept = await keepSecret({ keyring }, place, 1, CredentialKind[kind], false, prepared);
      return {
        ...one,
        secret: null,
        account: accountOf(one),
        owner: ownerOf(one),
        parent: parents[one.parent] ?? null,
        verifier: kept.verifier?.toString('hex') ?? null,
        verifierKeyId: kept.verifierKeyId,
        sealed: kept.sealed?.toString('hex') ?? null,
        kekId: kept.kekId,
      };
    }),
  );
  for (let at = 0; at < rows.length; at += 1_000)
    await server.rows(insert, {
      rows: JSON.stringify(rows.slice(at, at + 1_000)),
      kind,
      due,
      project: uuid(project),
    });
  return minted;
}

/** What parents are not. */
const ofTheTable = { kind: ['TOKEN'], includeDeleted: true };

interface Listed {
  id: string;
  status: string;
}

/** All pages of a list of the project, and the number that it says there are. */
async function listed(filter: Record<string, unknown>): Promise<{ nodes: Listed[]; totalCount: number }> {
  const nodes: Listed[] = [];
  let totalCount: number | undefined;
  let after: string | null = null;
  for (;;) {
    // The number is the same on every page: the first tells it.
    const answer = await server.ask(
      `query ($filter: CredentialFilter!, $after: String, $counts: Boolean!) {
        credentials(filter: $filter, first: 100, after: $after) {
          totalCount @include(if: $counts) nodes { id status } pageInfo { hasNextPage endCursor } } }`,
      { filter: { ...ofTheTable, ...filter, project: [project] }, after, counts: after === null },
    );
    const page = expectData(answer).credentials;
    nodes.push(...page.nodes);
    totalCount ??= page.totalCount as number;
    if (!page.pageInfo.hasNextPage) return { nodes, totalCount };
    after = page.pageInfo.endCursor;
  }
}

test('the field, the filter, the count and verification tell the same of every combination', async () => {
  expect(made.length).toBeGreaterThan(11_000);
  const wanted = new Map(made.map((one) => [encodeId('Credential', one.id), statusOf(one)]));
  for (const status of statuses) {
    const { nodes, totalCount } = await listed({ status: [status] });
    const ids = [...wanted].filter(([, one]) => one === status).map(([id]) => id);
    expect([...new Set(nodes.map((one) => one.status))]).toEqual([status]);
    expect(nodes.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(totalCount).toBe(nodes.length);
  }
  for (let at = 0; at < made.length; at += 100) {
    const some = made.slice(at, at + 100);
    const verdicts = await verifyAll(server, some.map(presented));
    expect(verdicts.map(({ code }) => code)).toEqual(some.map(codeOf));
  }
}, 300_000);

test.each([
  ['ACTIVE', 'ROTATING'],
  ['GONE', 'PENDING', 'UNKNOWN'],
  ['DISABLED', 'EXPIRED', 'REVOKED'],
  ['ACTIVE', 'DELETED', 'EXPIRED', 'UNKNOWN'],
  statuses,
])('several statuses are found together: %s %s %s', async (...some) => {
  const answer = await server.ask(
    `query ($filter: CredentialFilter!, $id: ID!) {
      credentials(filter: $filter, first: 100, orderBy: { by: NAME }) { totalCount nodes { status } }
      node(id: $id) { ... on Project { credentials(filter: $filter) { totalCount } } }
    }`,
    { id: project, filter: { ...ofTheTable, status: some, project: [project] } },
  );
  const { credentials, node } = expectData(answer);
  const { totalCount, nodes } = credentials;
  expect(node.credentials.totalCount).toBe(totalCount);
  expect(nodes.every(({ status }: Listed) => some.includes(status))).toBe(true);
  expect(totalCount).toBe(made.filter((one) => some.includes(statusOf(one))).length);
});

test('whoever calls with it is let in where verification says that it is good', async () => {
  const tokens = await make(pairs);
  const keys = await make(pairs, 'ACCESS_KEY');
  for (const token of tokens) {
    const { status } = await server.ask('{ viewer { id } }', {}, { token: token.secret.expose() });
    expect([token, status]).toEqual([token, codeOf(token) === 'VALID' ? 200 : 401]);
    const { body } = await postVerify(server, presented(token));
    expect([token, body.code]).toEqual([token, codeOf(token)]);
  }
  for (const key of keys) {
    const { status } = await askSigned(server, { ...key, secret: key.secret.expose() }, '{ viewer { id } }');
    expect([key, status]).toEqual([key, codeOf(key) === 'VALID' ? 200 : 401]);
  }
}, 300_000);

test('what is due is rotated where it works', async () => {
  const turning = await make(pairs, 'TOKEN', { due: true });
  const log = openLog('fatal');
  const outbound = openOutbound({ allowedRanges: [], local: true });
  const { db } = server;
  const parts = { db, keyring, connectors: registry, gates: openGates(outbound, log), log };
  const wanted = turning
    .filter((one) => codeOf(one) === 'VALID' && one.parent === 'none')
    .map(({ id }) => id);
  expect(wanted.length).toBeGreaterThan(3);
  // One of an owner's turns at a time; and once more, for what should not.
  for (let turn = 0; turn <= wanted.length; turn++) {
    await server.rows('DELETE FROM rotation_turns RETURNING owner_id');
    await rotateDue(parts, 0);
  }
  const turned = await server.rows<{ id: string }>(
    `SELECT DISTINCT credential_id AS id FROM credential_versions
     WHERE number > 1 AND credential_id = ANY(CAST(:ids AS uuid[]))`,
    { ids: turning.map(({ id }) => id) },
  );
  expect(turned.map(({ id }) => id).sort()).toEqual(wanted.sort());
  await outbound.close();
});

test('what expired by its parent is found also where it lasts longer than all that has none', async () => {
  const { nodes, totalCount } = await listed({ status: ['EXPIRED'] });
  const lasting = made.filter((one) => statusOf(one) === 'EXPIRED' && one.expiry !== 'past');
  expect(lasting.length).toBeGreaterThan(0);
  await server.rows(`UPDATE credentials SET expires_at = now() + interval '30 minutes'
    WHERE parent_id IS NULL AND coalesce(expires_at, 'infinity') > now() RETURNING id`);
  const after = await listed({ status: ['EXPIRED'] });
  expect(after.nodes.map(({ id }) => id).sort()).toEqual(nodes.map(({ id }) => id).sort());
  expect(after.totalCount).toBe(totalCount);
});

const presented = ({ secret }: Made) => ({ proof: { secret: secret.expose() } });
const codeOf = (one: Case) => codes[statusOf(one)];

const insertParents = `
  WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (id uuid, account uuid, owner uuid, project uuid,
      enabled boolean, standing text, expired boolean, revoked boolean, deleted boolean, gone boolean, revoking boolean,
      rotated boolean)
  ), made AS (
    INSERT INTO credentials (id, store_id, account_id, owner_id, project_id, kind, name, enabled, standing, expires_at,
      revoked_at, deleted_at, gone_at, ending_since)
    SELECT id, (SELECT id FROM stores WHERE kind = 'BUILT_IN'), account, owner, project, 'ACCESS_KEY', 'A parent',
      enabled, standing, CASE WHEN expired THEN now() - interval '1 hour' END, CASE WHEN revoked THEN now() END,
      CASE WHEN deleted THEN now() END, CASE WHEN gone THEN now() END, CASE WHEN revoking THEN now() END
    FROM given
  )
  INSERT INTO credential_versions (credential_id, number, state)
  SELECT id, 1, CASE WHEN rotated THEN 'RETIRED' ELSE 'CURRENT' END FROM given
  UNION ALL SELECT id, 2, 'CURRENT' FROM given WHERE rotated
  RETURNING number`;

const insert = `
  WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS r (id uuid, account uuid, owner uuid, parent uuid,
      "accessKey" text, expiry text, revoked boolean, deleted boolean, enabled boolean, standing text, rotating boolean,
      gone boolean, revoking boolean, abandoned boolean, verifier text, "verifierKeyId" text, sealed text, "kekId" text)
  ), made AS (
    INSERT INTO credentials (id, store_id, account_id, owner_id, project_id, parent_id, parent_version, kind, name,
      access_key, enabled, standing, rotating_until, expires_at, revoked_at, deleted_at, gone_at, ending_since, abandoned_at, retrievable,
      rotate_every, rotate_grace, rotation_due_at)
    SELECT id, (SELECT id FROM stores WHERE kind = 'BUILT_IN'), account, owner, CAST(:project AS uuid), parent,
      CASE WHEN parent IS NOT NULL THEN 1 END, :kind, 'One of many', "accessKey", enabled, standing,
      CASE WHEN rotating THEN now() + interval '1 hour' END,
      CASE expiry WHEN 'future' THEN now() + interval '1 hour' WHEN 'past' THEN now() - interval '1 hour' END,
      CASE WHEN revoked THEN now() END, CASE WHEN deleted THEN now() END, CASE WHEN gone THEN now() END,
      CASE WHEN revoking THEN now() END, CASE WHEN abandoned THEN now() END, CAST(:due AS boolean), CASE WHEN :due THEN 'P30D' END, CASE WHEN :due THEN 'PT0S' END,
      CASE WHEN :due THEN now() - interval '1 second' END
    FROM given
  ), used AS (
    INSERT INTO credential_uses (credential_id, unused_since) SELECT id, now() FROM given
  )
  INSERT INTO credential_versions (credential_id, number, state, verifier, verifier_key_id, sealed, kek_id)
  SELECT id, 1, 'CURRENT', decode(verifier, 'hex'), "verifierKeyId", decode(sealed, 'hex'), "kekId" FROM given
  RETURNING number`;
