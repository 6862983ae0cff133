import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { sql, type Database } from '../database/database.js';
import type { Keyring } from '../keyring/keyring.js';

/** Where a chain stood at a time: a tail that is cut off later is missed by it. */
export interface Checkpoint {
  account: string;
  number: string;
  hash: string;
  at: string;
}

/** Writes down, outside the database and signed, where each account's chain stands. */
export class Checkpoints {
  readonly #written = new Map<string, string>();

  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly path: string,
  ) {}

  /** Adds a line for every chain that has grown. */
  async write(): Promise<void> {
    const heads = await this.db.rows<{ account: string; number: string; hash: Buffer; at: string }>(
      readHeads,
    );
    const grown = heads.filter(({ account, number }) => this.#written.get(account) !== number);
    if (grown.length === 0) return;
    const lines = grown.map(({ account, number, hash, at }) => {
      const checkpoint = { account, number, hash: Buffer.from(hash).toString('hex'), at };
      return `${JSON.stringify({ ...checkpoint, mac: this.#mac(checkpoint).toString('hex') })}\n`;
    });
    appendFileSync(this.path, lines.join(''), { mode: 0o600 });
    for (const { account, number } of grown) this.#written.set(account, number);
  }

  /** The last checkpoint of each account. A line that was not signed by these keys counts as a fault. */
  read(): { last: Map<string, Checkpoint>; faults: number } {
    const last = new Map<string, Checkpoint>();
    let faults = 0;
    const lines = existsSync(this.path) ? readFileSync(this.path, 'utf8').split('\n').filter(Boolean) : [];
    for (const line of lines) {
      const checkpoint = this.#readLine(line);
      if (!checkpoint) faults++;
      else if (BigInt(checkpoint.number) >= BigInt(last.get(checkpoint.account)?.number ?? 0)) {
        last.set(checkpoint.account, checkpoint);
      }
    }
    return { last, faults };
  }

  #readLine(line: string): Checkpoint | undefined {
    try {
      const { mac, ...checkpoint } = JSON.parse(line) as Checkpoint & { mac: string };
      const { account, number, hash, at } = checkpoint;
      const signed = this.keyring.macMatches(
        'audit-checkpoint',
        Buffer.from(mac, 'hex'),
        account,
        number,
        hash,
        at,
      );
      return signed ? checkpoint : undefined;
    } catch {
      return undefined;
    }
  }

  #mac({ account, number, hash, at }: Checkpoint): Buffer {
    return this.keyring.mac('audit-checkpoint', account, number, hash, at);
  }
}

const readHeads = sql(`
  SELECT account_id AS account, number::text AS number, hash, clock_timestamp()::text AS at FROM audit_heads
  WHERE number > 0`);
