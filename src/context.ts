import type { Principal } from './access/principal.js';
import type { Decisions } from './audit/decisions.js';
import type { Registry } from './connectors/registry.js';
import type { LastUsed } from './credentials/record/last-used.js';
import type { Syncs } from './credentials/sync/syncs.js';
import type { Database } from './database/database.js';
import type { Keyring } from './keyring/keyring.js';
import type { Log } from './log.js';
import type { Gates } from './stores/gate.js';

/** What one request carries: who asks, from where, and the parts of Keyway that answer. Never kept beyond it. */
export interface RequestContext {
  readonly requestId: string;
  /** When the request came, by the clock of the database, in milliseconds since 1970. */
  readonly at: number;
  readonly principal: Principal;
  /** The caller's address, where it can be trusted. */
  readonly ip: string | undefined;
  /** Aborted where the caller leaves before the answer: nobody waits for what is only read any more. */
  readonly left: AbortSignal;
  readonly db: Database;
  readonly keyring: Keyring;
  readonly connectors: Registry;
  /** The way to outside stores. */
  readonly gates: Gates;
  /** Takes stock of them. */
  readonly syncs: Syncs;
  /** Whether stores may be connected by http: for trials and tests. */
  readonly outboundLocal: boolean;
  /** The names of the issuers whose tokens are taken. */
  readonly issuers: ReadonlySet<string>;
  /** Decisions that go on record soon after they were made. */
  readonly decisions: Decisions;
  readonly lastUsed: LastUsed;
  readonly log: Log;
}

/** Makes a thing on its first use in a request and gives the same one to the end of it: how loaders live. */
export function perRequest<Thing>(make: (ctx: RequestContext) => Thing): (ctx: RequestContext) => Thing {
  const made = new WeakMap<RequestContext, Thing>();
  return (ctx) => {
    const known = made.get(ctx);
    if (known !== undefined) return known;
    const thing = make(ctx);
    made.set(ctx, thing);
    return thing;
  };
}
