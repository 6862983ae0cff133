// npm run bench:lists: each filter alone, in each order and direction, over a large database. Fails where a list scans
// a table from end to end, or takes longer than it may for its first page.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { idOf, machine, openFilled, root, rowsWanted } from './filled.mjs';

const { rightsOf } = await import('../dist/src/access/rights.js');
const { everyPermission } = await import('../dist/src/access/principal.js');
const { listCredentials } = await import('../dist/src/credentials/record/find.js');
const { encodeId } = await import('../dist/src/ids.js');
const { adminAccountId } = await import('../dist/src/accounts/account.js');

const limitMs = 50;
const first = 20;
const only = process.env.ONLY ? new RegExp(process.env.ONLY) : undefined;
const daysFromNow = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
const acct = (n) => encodeId('Account', idOf('accounts', n));
const [builtIn, vendor, scarce, empty] = ['keyway', 1, 2, 3];

/** Each filter alone, by the name it has in the table. */
const filters = (builtInId) => ({
  none: {},
  'store: built in': { store: [builtInId] },
  'store: 3 %': { store: [encodeId('CredentialStore', idOf('stores', vendor))] },
  'store: few': { store: [encodeId('CredentialStore', idOf('stores', scarce))] },
  'store: empty': { store: [encodeId('CredentialStore', idOf('stores', empty))] },
  'account: 10 %': { account: [acct(1)] },
  'account: middling': { account: [acct(65)] },
  'account: small': { account: [acct(500)] },
  'account: three': { account: [acct(1), acct(65), acct(500)] },
  'owner: 3 %': { owner: [acct(731)] },
  'owner: small': { owner: [acct(500)] },
  'project: large': { project: [encodeId('Project', idOf('projects', 1))] },
  'project: small': { project: [encodeId('Project', idOf('projects', 120))] },
  'role: 90 %': { role: [encodeId('Role', idOf('roles', 1))] },
  'role: 50 %': { role: [encodeId('Role', idOf('roles', 2))] },
  'role: 1 %': { role: [encodeId('Role', idOf('roles', 5))] },
  'role: 0.02 %': { role: [encodeId('Role', idOf('roles', 11))] },
  'role: none': { role: [encodeId('Role', idOf('roles', 12))] },
  ...each('kind', ['ACCESS_KEY', 'TOKEN', 'PASSWORD', 'PROVIDER_KEYS']),
  'provider: common': { provider: ['AWS'] },
  'provider: rare': { provider: ['AZURE'] },
  'provider: absent': { provider: ['GOOGLE'] },
  ...each('status', [
    'ACTIVE',
    'ROTATING',
    'DISABLED',
    'EXPIRED',
    'REVOKED',
    'REVOKING',
    'DELETED',
    'ABANDONED',
    'PENDING',
    'UNKNOWN',
    'GONE',
  ]),
  'search: 5 %': { search: 'collector' },
  'search: 5 %, of one beginning': { search: 'billing' },
  'search: 0.05 %': { search: 'zebra' },
  'search: one': { search: `${Math.floor(rowsWanted / 2)}` },
  'search: absent': { search: 'qqzzqq' },
  'search: two letters': { search: 'ba' },
  'search: two rare letters': { search: 'ze' },
  'search: two absent letters': { search: 'qz' },
  'search: one letter': { search: 'w' },
  'expiresBefore: now': { expiresBefore: daysFromNow(0) },
  'expiresBefore: 30 days': { expiresBefore: daysFromNow(30) },
  'expiresBefore: long ago': { expiresBefore: daysFromNow(-5000) },
  'rotationDueBefore: now': { rotationDueBefore: daysFromNow(0) },
  'rotationDueBefore: 7 days': { rotationDueBefore: daysFromNow(7) },
  'rotationDueBefore: long ago': { rotationDueBefore: daysFromNow(-5000) },
  'createdAfter: 7 days': { createdAfter: daysFromNow(-7) },
  'createdAfter: 2 years': { createdAfter: daysFromNow(-730) },
  'createdAfter: now': { createdAfter: daysFromNow(0) },
  'createdBefore: 1 year': { createdBefore: daysFromNow(-365) },
  'createdBefore: 3 years': { createdBefore: daysFromNow(-1090) },
  'expiresAfter: now': { expiresAfter: daysFromNow(0) },
  'expiresAfter: 690 days': { expiresAfter: daysFromNow(690) },
  'expiresAfter: long ahead': { expiresAfter: daysFromNow(5000) },
  'createdBy: all': { createdBy: [acct(2)] },
  'createdBy: few': { createdBy: [acct(3)] },
  'createdBy: none': { createdBy: [acct(4)] },
  'ids: two': {
    ids: [encodeId('Credential', idOf('accounts', 1)), encodeId('Credential', idOf('roles', 1))],
  },
  'unusedFor: P90D': { unusedFor: 'P90D' },
  'unusedFor: P2Y': { unusedFor: 'P2Y' },
  'unusedFor: P1065D': { unusedFor: 'P1065D' },
  'unusedFor: P10Y': { unusedFor: 'P10Y' },
  'withoutOwner: true': { withoutOwner: true },
  'withoutOwner: false': { withoutOwner: false },
  includeDeleted: { includeDeleted: true },
});

function each(name, values) {
  return Object.fromEntries(values.map((value) => [`${name}: ${value}`, { [name]: [value] }]));
}

/**
 * Lists known to take longer; docs/performance.md says why. They are measured and shown, and do not fail the run.
 */
const knownSlow = ({ who, name, by }) =>
  who === 'an organization’s' || (name === 'search: 5 %, of one beginning' && by === 'NAME');

const keyway = await openFilled();
const { db, keyring } = keyway;

const everything = { everywhere: true, accounts: new Set(), projects: new Set() };
const principals = {
  everyone: {
    accountId: adminAccountId,
    rights: new Map(everyPermission.map((permission) => [permission, everything])),
  },
  'an organization’s': { accountId: idOf('accounts', 131) },
  'an owner’s': { accountId: idOf('accounts', 132) },
};

async function measure() {
  const [{ id }] = await db.rows({ text: `SELECT id FROM stores WHERE name = '${builtIn}'`, names: [] });
  const all = filters(encodeId('CredentialStore', id));
  const lines = [];
  for (const [who, { accountId, rights }] of Object.entries(principals)) {
    const principal = {
      accountId,
      holds: null,
      limits: null,
      rights: rights ?? (await rightsOf(db, accountId, null)),
    };
    for (const [name, filter] of Object.entries(all)) {
      for (const by of ['CREATED_AT', 'NAME', 'EXPIRES_AT', 'LAST_USED_AT']) {
        for (const direction of ['ASC', 'DESC']) {
          if (only && !only.test(`${who} ${name} ${by} ${direction}`)) continue;
          lines.push({
            who,
            name,
            by,
            direction,
            ...(await timed(principal, { filter, orderBy: { by, direction } })),
          });
          const line = lines.at(-1);
          if (!line.good) console.error(row(line));
        }
      }
    }
  }
  return lines;
}

/** Runs the list that Keyway itself would run: its plan, and the median time of five runs. */
async function timed(principal, args) {
  let ran;
  const spied = {
    statement: db.statement.bind(db),
    rows: (statement, parameters) => {
      ran = { statement, parameters };
      return db.rows(statement, parameters);
    },
  };
  const ctx = { principal, db: spied, keyring };
  const times = [];
  let found;
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    found = (await listCredentials(ctx, { first, ...args })).nodes.length;
    times.push(performance.now() - start);
  }
  const ms = times.sort((a, b) => a - b)[2];
  const explain = { ...ran.statement, text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${ran.statement.text}` };
  const [answer] = await db.rows(explain, ran.parameters);
  const top = answer['QUERY PLAN'][0].Plan;
  const scans = scansOf(top);
  const scanned = scans.some((scan) => scan.startsWith('Seq Scan'));
  return {
    ms,
    found,
    scans,
    buffers: top['Shared Hit Blocks'] + top['Shared Read Blocks'],
    good: !scanned && ms <= limitMs,
  };
}

const watched = new Set(['credentials', 'credential_uses', 'credential_roles']);

/** How the large tables are come to, outermost first. */
function scansOf(node, ...under) {
  const inner = (node.Plans ?? []).flatMap((child) => scansOf(child, node, ...under));
  const sorted = /Sort/.test(node['Node Type']) ? ['Sort'] : [];
  const index = node['Index Name'];
  if (node['Node Type'] === 'Bitmap Index Scan') return [`Bitmap ${index}`];
  if (!watched.has(node['Relation Name']) || node['Node Type'] === 'Bitmap Heap Scan')
    return [...sorted, ...inner];
  return [
    index
      ? `${index}${node['Scan Direction'] === 'Backward' ? ' backward' : ''}`
      : `${node['Node Type']} ${node['Relation Name']}`,
    ...inner,
  ];
}

const row = ({ who, name, by, direction, ms, found, buffers, scans, good }) =>
  `| ${[who, name, `${by} ${direction}`, ms.toFixed(1), found, buffers, scans.join(', '), good ? '' : knownSlow({ who, name, by }) ? 'known' : '**no**'].join(' | ')} |`;

const heading = `| whose eyes | filter | order | ms | rows | pages | served by | |
|---|---|---|--:|--:|--:|---|---|`;

let lines;
let about;
try {
  lines = await measure();
  about = await machine(db);
} finally {
  await keyway.close();
}
const bad = lines.filter((line) => !line.good && !knownSlow(line));
const known = lines.filter((line) => !line.good && knownSlow(line));
const slowest = (some) => `${some.reduce((most, { ms }) => Math.max(most, ms), 0).toFixed(1)} ms`;
const others = lines.filter((line) => !knownSlow(line));
const summary = `${lines.length} lists of ${first} over ${rowsWanted.toLocaleString('en')} credentials. Of ${others.length} that are to take no more than ${limitMs} ms and to scan no table, ${bad.length} do not keep to it; the slowest takes ${slowest(others)}. Besides, ${known.length} that are known to be slow, of which the slowest takes ${slowest(known)}.`;
console.log(`${heading}\n${lines.map(row).join('\n')}\n\n${summary}`);
if (!only || process.env.SAVE === '1') {
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  writeFileSync(
    join(root, 'bench/results/lists.md'),
    `# Lists

Each filter of CredentialFilter alone, in each order: the first page as Keyway asks for it, through its own code, as the
administrator, as a caller who may see one organization with its sub-accounts and three more projects, and as one who
sees only what it owns. Time is the median of five runs with warm caches, at the database connection; pages are those of
8 KiB that PostgreSQL touched. Made by \`npm run bench:lists\`.

${about}${only ? ` Only the lists that match ${only}.` : ''}

${summary}

${heading}
${lines.map(row).join('\n')}
`,
  );
}
process.exit(bad.length === 0 ? 0 : 1);
