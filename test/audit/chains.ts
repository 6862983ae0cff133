import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AuditOutcome } from '../../src/audit/audit-event.js';
import { linkAll, type Told } from '../../src/audit/chain.js';
import { checkAudit, type Report } from '../../src/audit/check.js';
import { Checkpoints } from '../../src/audit/checkpoints/checkpoints.js';
import { CheckpointFolder, linesOfFile } from '../../src/audit/checkpoints/folder.js';
import { lineText, type Checkpoint } from '../../src/audit/checkpoints/line.js';
import type { Database } from '../../src/database/database.js';
import { newId } from '../../src/ids.js';
import type { Keyring } from '../../src/keyring/keyring.js';
import { openLog } from '../../src/log.js';
import type { SharedServer } from '../support/server.js';

export interface Chain {
  account: string;
  /** The file of checkpoints of this chain's test alone. */
  file: string;
  /** Another event at its end. */
  grow: () => Promise<void>;
  /** Cuts it behind this event, its head and all. */
  cut: (number: number) => Promise<void>;
  /** Looks at the chains and writes down where they stand, as a Keyway that has just started does. */
  write: () => Promise<Checkpoints>;
  /** Writes down where it stands, whatever the file says, as earlier versions did. */
  writeUnseen: () => Promise<void>;
  verdict: (ring?: Keyring) => Promise<string | undefined>;
}

export const quiet = openLog('silent');

const month = '2026-01';

/** A file of checkpoints of one test alone, in a month whatever the clock says. */
export const ownFile = (server: SharedServer, name: string): string =>
  join(server.dataDir, `checkpoints-${name}.${month}.jsonl`);

/** What holds the chains to such a file, as a Keyway does. */
export const checkpointsIn = (
  db: Database,
  keyring: Keyring,
  file: string,
  now = () => new Date(`${month}-15`),
): Checkpoints => {
  const place = new CheckpointFolder(dirname(file), basename(file).replace(/\..*/, ''));
  return new Checkpoints(db, keyring, place, quiet, 13, now);
};

/** Writes signed lines by hand. */
export function addLines(file: string, keyring: Keyring, lines: readonly Checkpoint[]): void {
  appendFileSync(file, lines.map((line) => `${lineText(keyring, line)}\n`).join(''));
}

/** The file of checkpoints to which a Keyway has written last. */
export function fileOf(server: SharedServer): string {
  const names = readdirSync(server.dataDir).filter((name) =>
    /^audit-checkpoints\.\d{4}-\d\d\.jsonl$/.test(name),
  );
  return join(server.dataDir, names.sort().at(-1) ?? 'none');
}

/** A chain of five events, written by hand; and what the verifier says of it. */
export async function chainOfFive(server: SharedServer, keyring: Keyring): Promise<Chain> {
  const account = newId();
  const file = ownFile(server, account);
  const grow = () => server.db.transaction((tx) => linkAll(tx, keyring, [byHand(account)]));
  for (let number = 1; number <= 5; number++) await grow();
  return {
    account,
    file,
    grow,
    cut: async (number) => {
      if (number > 0) await setBack(server, account, number);
      else await server.rows('DELETE FROM audit_heads WHERE account_id = :account', { account });
      await tamper(server, `DELETE FROM audit_events WHERE account_id = :account AND number > ${number}`, {
        account,
      });
    },
    write: async () => {
      const checkpoints = checkpointsIn(server.db, keyring, file);
      await checkpoints.write();
      return checkpoints;
    },
    writeUnseen: async () => {
      const rows = await server.rows<Checkpoint>(
        `SELECT account_id AS account, number::text AS number, encode(hash, 'hex') AS hash, '2026-01-02 03:04:05+00' AS at
         FROM audit_heads WHERE account_id = :account`,
        { account },
      );
      addLines(file, keyring, rows);
    },
    verdict: async (ring = keyring) =>
      verdictOn(await checkAudit(server.db, ring, linesOfFile(file)), account),
  };
}

export function verdictOn({ breaks }: Report, account: string): string | undefined {
  const broken = breaks.find((one) => one.account === account);
  return broken && `row ${broken.number} ${broken.reason}`;
}

export const byHand = (accountId: string): Told => ({
  accountId,
  projectId: null,
  actorId: newId(),
  actorCredentialId: null,
  action: 'account:update',
  outcome: AuditOutcome.DONE,
  code: null,
  targetType: 'Account',
  targetId: newId(),
  recipientId: null,
  changed: [],
  times: 1,
  ended: null,
  ip: null,
  requestId: 'by hand',
});

/** Changes what nobody may change, as only the tables' owner can: with the trigger off. */
export async function tamper(
  server: SharedServer,
  statement: string,
  parameters: Record<string, unknown> = {},
): Promise<void> {
  await server.rows('ALTER TABLE audit_events DISABLE TRIGGER ALL');
  try {
    await server.rows(statement, parameters);
  } finally {
    await server.rows('ALTER TABLE audit_events ENABLE TRIGGER ALL');
  }
}

/** Takes all chains away, broken ones among them: each test has its own. */
export async function withoutChains(server: SharedServer): Promise<void> {
  await tamper(server, 'DELETE FROM audit_events');
  await server.rows('DELETE FROM audit_heads');
}

/** Sets the head of a chain to an earlier event. */
export async function setBack(server: SharedServer, account: string, number: number): Promise<void> {
  await server.rows(
    `UPDATE audit_heads SET number = :number,
       hash = (SELECT hash FROM audit_events WHERE account_id = :account AND number = CAST(:number AS bigint))
     WHERE account_id = :account`,
    { account, number },
  );
}

export const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Checkpoint);
