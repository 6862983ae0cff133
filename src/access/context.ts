import type { StoreAnswer, StoreRequest } from '../connectors/connector.js';
import type { Registry } from '../connectors/registry.js';
import type { Database } from '../database/database.js';
import type { NodeType } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import type { Whose } from '../shares/line.js';
import type { Outcome, Telemetry } from '../telemetry/telemetry.js';
import type { Identified, Principal } from './principal.js';
import type { Standing } from './standing.js';

/** What one request carries: who asks, from where, and the parts of Keyway that answer. Never kept beyond it. */
export interface RequestContext {
  readonly requestId: string;
  /** When the request came, by the clock of the database, in milliseconds since 1970. */
  readonly at: number;
  readonly principal: Principal;
  /** How the caller stood at the end of a verb, when it was tried before: `decidedByNow` sets it. */
  readonly expected?: Standing;
  /**
   * How many verbs the request has begun, whether the one that is under way has put anything on record, and whether one
   * before it has.
   */
  readonly change: { verbs: number; made: boolean; earlier: boolean };
  /**
   * The names of all fields in the document, of whatever type, from when a query is about to run: only what they need is
   * read. Undefined where what is read is not for the answer alone, as in a mutation.
   */
  readonly asked: { fields?: ReadonlySet<string> };
  /** The caller's address, where it can be trusted. */
  readonly ip: string | undefined;
  /**
   * Aborted where the caller leaves before the answer: what is only read ends, and what changes something is not begun.
   */
  readonly left: AbortSignal;
  /** Of a query, from when it is about to run, what may be read from a replica. */
  db: Database;
  /** Where there is a replica: where a query is to be read from. */
  readonly replica?: { forQuery(): Promise<{ db: Database; asOf: number }> } | undefined;
  /** Where there is a replica: what a query reads has all that was committed by then, in milliseconds since 1970. */
  asOf?: number;
  readonly keyring: Keyring;
  /** How the keys of the keyring stand; left out where nobody asks for it. */
  readonly keyStandings?: ((db: Database) => Promise<readonly KeyStanding[]>) | undefined;
  readonly connectors: Registry;
  /** The way to outside stores. */
  readonly gates: Gates;
  /** Syncs them. */
  readonly syncs: { goOn(): Promise<void> };
  /** Whether stores may be connected by http, at the addresses where that is spoken. */
  readonly outboundHttp: boolean;
  /** The names of the issuers whose tokens are taken. */
  readonly issuers: ReadonlySet<string>;
  /** The roles that tokens of these can bring, of all of them. */
  readonly claimedRoles: Identified['roles'];
  /** Decisions that go on record soon after they were made. */
  readonly decisions: { note(decision: Decision, crowd?: Decision): void };
  /** Uses of secrets, and how verifications came out, which are noted soon after they happened. */
  readonly lastUsed: {
    note(credentialId: string, version: number, at: number): void;
    verified(credentialId: string, version: number | null, at: number): void;
  };
  /** What the caller may still do in this minute. */
  readonly allowance: Allowance;
  readonly log: Log;
  /** Hears of what the request does. */
  readonly telemetry: Telemetry;
  /** How the request comes out, once that is known. */
  readonly outcome: Outcome;
  /** Whether it was let in for nothing else than revoking. */
  readonly revokesAlone: boolean;
  /** Does what waits for others than Keyway: meanwhile the request has no place among those that are under way. */
  readonly elsewhere: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** A key of the keyring, and whether anything is still by it. */
export interface KeyStanding {
  readonly kind: 'kek' | 'verifier' | 'pepper' | 'audit';
  readonly id: string;
  readonly isCurrent: boolean;
  /** How many rows name it that are to be brought to the current one; null where it is not older, and for the audit log. */
  readonly left: number | null;
}

/** What a caller may still do in this minute, for one request. */
export interface Allowance {
  /**
   * Counts what the request costs, in points: once, so that of several the highest counts.
   * @param revokes whether it does nothing but revoke: some of that is allowed when all else is used up
   * @throws RATE_LIMITED; LIMIT_EXCEEDED, and nothing is counted, where no minute has as many
   */
  charge(points: number, revokes?: boolean): Promise<void>;
  /** What was counted; nothing where it was refused. */
  readonly charged: number;
  /** Whether anything was counted, or refused. */
  readonly isCharged: boolean;
  /** How the limit stands that is told: the points, or what the request was refused by; undefined where there is none. */
  readonly standing: { limit: number; remaining: number; leftMs: number } | undefined;
  /** Counts how often the caller was refused something, or there was no such thing. Never throws. */
  countFailures(count: number): Promise<void>;
  /** Whether what comes from this address may be verified: whether it was told not too often that it is not valid. */
  mayVerify(ip: string): boolean;
  /** Counts how often it was told so. Never throws. */
  countGuesses(ip: string, count: number): Promise<void>;
}

/** What one may do who is limited by nothing. */
export const unlimited: Allowance = {
  charged: 0,
  isCharged: true,
  standing: undefined,
  charge: () => Promise.resolve(),
  countFailures: () => Promise.resolve(),
  mayVerify: () => true,
  countGuesses: () => Promise.resolve(),
};

/**
 * Makes a thing on its first use in a request and gives the same one to the end of it: how loaders live. Each verb of a
 * request has its own, with its answer: the one before may have changed what was read.
 */
export function perRequest<Thing>(make: (ctx: RequestContext) => Thing): (ctx: RequestContext) => Thing {
  const made = new WeakMap<RequestContext, { thing: Thing; verbs: number }>();
  return (ctx) => {
    const { verbs } = ctx.change;
    const known = made.get(ctx);
    if (known?.verbs === verbs) return known.thing;
    const thing = make(ctx);
    made.set(ctx, { thing, verbs });
    return thing;
  };
}

/** Something that was decided, as the audit tells it: by whom, about what, and how it came out. */
export interface Decision {
  accountId: string;
  projectId: string | null;
  actorId: string | null;
  actorCredentialId: string | null;
  /** As in the permission: `credential:rotate`. */
  action: string;
  outcome: 'DONE' | 'REFUSED' | 'FAILED';
  code: string | null;
  targetType: NodeType | null;
  targetId: string | null;
  /** The account that it was given to. */
  recipientId: string | null;
  ip: string | null;
  requestId: string;
}

/** Calls to stores. What is known of a store's state is kept by this process alone. */
export interface Gates {
  /**
   * Sends a request, and a read up to three times.
   * @param left ends a read when it is aborted, and makes room for others; what changes something goes on.
   * @throws StoreError UPSTREAM_UNAVAILABLE where no whole answer came, NotPublic among them; RATE_LIMITED where the
   * store wants no calls now.
   */
  call(store: Callable, request: StoreRequest, left?: AbortSignal): Promise<StoreAnswer>;
  /**
   * Tries what may be no store at all, for a tenant.
   * @throws RATE_LIMITED where that tenant has too much tried at once, or too much of it failed lately; what `work` throws.
   */
  trial<Result>(tenant: string, work: () => Promise<Result>): Promise<Result>;
  /** Whether calls to it go through: OPEN keeps them back, HALF_OPEN lets one try. */
  circuitOf(storeId: string): Circuit;
  /** Keeps nothing more of a store that is gone, or was only tried. */
  forget(storeId: string): void;
}

/** Whether calls to a store go through. */
export type Circuit = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

/** How many calls a store allows in how long. */
export interface Budget {
  readonly limit: number;
  readonly windowMs: number;
}

/** A store, as far as calls to it go. */
export interface Callable {
  readonly id: string;
  readonly kind: string;
  readonly addresses: Readonly<Record<string, string>>;
  readonly budget: Budget | undefined;
  /** The certificates that it is trusted by, in PEM; the well-known authorities, where left out. */
  readonly trusted?: string | undefined;
  /** Who asks, where several wait for their turn; one of Keyway's own jobs, where left out. */
  readonly whose?: Whose | undefined;
}
