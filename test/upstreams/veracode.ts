import { openStandIn, type Answered, type Arrived, type StandIn } from './stand-in.js';
import type { VeracodeDates, VeracodeRoute, VeracodeSettings } from './veracode-call.js';
import { credentialRoutes } from './veracode-credentials.js';
import { veracodeError, type VeracodeErrorShape } from './veracode-errors.js';
import { bare, farthestMs, veracodeSigner, type VeracodeProof } from './veracode-signature.js';
import {
  isAdministrator,
  veracodeState,
  type VeracodePair,
  type VeracodeState,
  type VeracodeUser,
} from './veracode-state.js';
import { userRoutes } from './veracode-users.js';

export interface VeracodeOptions {
  /** The clock, in milliseconds since 1970. */
  clockMs?: () => number;
  /** Whether a pair lives on for a day once another was generated; the vendor's pages disagree. */
  oldLives?: 'no' | '24h';
  /** How times are spelt; with an offset where left out. */
  dates?: VeracodeDates;
  /** Whether a pair that was revoked can still be read, with the time of it; yes where left out. */
  showsRevoked?: boolean;
  /** The shape of every error; where left out, that in which each status was seen. */
  errorShape?: VeracodeErrorShape;
  /** So many calls within a minute are answered, and none above them; any number where left out. */
  perMinute?: number;
}

export interface Veracode extends StandIn {
  /** The pair of a user who may manage all of them. */
  readonly admin: VeracodePair;
  /** By their ids. */
  readonly users: ReadonlyMap<string, VeracodeUser>;
  addUser: VeracodeState['addUser'];
  /** Generates a pair for a user as the console would; an old one is without prefix. */
  addPair(userId: string, how?: { prefixed?: boolean }): VeracodePair;
  /** Whether calls that are signed with this pair come through now; each half with its prefix or without. */
  accepts(apiId: string, apiKey: string): boolean;
  /** Whether a user has a pair with which calls come through now. */
  hasLivePair(userId: string): boolean;
  /** So many users more, with a pair each. */
  seed(count: number): VeracodePair[];
}

const base = '/api/authn/v2';

/** A server in the place of Veracode's Identity API, at `/api/authn/v2`. */
export async function startVeracode(options: VeracodeOptions = {}): Promise<Veracode> {
  const { clockMs: now = () => Date.now(), oldLives = 'no', dates = 'offset' } = options;
  const state = veracodeState(now, oldLives);
  const settings: VeracodeSettings = {
    state,
    now,
    dates,
    showsRevoked: options.showsRevoked ?? true,
    refuse: (status, title, pointer) => veracodeError(status, title, options.errorShape, pointer),
  };
  const routes = [...credentialRoutes(settings), ...userRoutes(settings)];
  const tooMany = limit(options.perMinute ?? Infinity, now);
  const isReplayed = memory(now);
  const addPair: Veracode['addPair'] = (userId, how) => {
    if (!state.users.has(userId)) throw new Error(`no user ${userId}`);
    return state.generate(userId, 'console', how);
  };
  const administrator = state.addUser({
    user_name: 'keyway-admin',
    roles: [{ role_name: 'adminapi' }],
    permissions: [{ permission_name: 'apiUser' }],
  });
  const admin = addPair(administrator.user_id);

  const standIn = await openStandIn((request) => {
    const waitMs = tooMany();
    if (waitMs > 0)
      return { status: 429, headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) }, body: '' };
    const proof = veracodeSigner(request, (apiId) => state.pairOf(apiId)?.apiKey, now());
    const pair = proof && state.pairOf(proof.apiId);
    const caller = pair && state.isUsable(pair) ? state.users.get(pair.userId) : undefined;
    if (!proof || !caller || isReplayed(proof)) return settings.refuse(401, 'The signature does not hold.');
    return answer(request, caller, routes, settings);
  });
  return {
    ...standIn,
    admin,
    users: state.users,
    addUser: state.addUser,
    addPair,
    accepts: (apiId, apiKey) => {
      const pair = state.pairOf(apiId);
      return pair !== undefined && bare(pair.apiKey) === bare(apiKey) && state.isUsable(pair);
    },
    hasLivePair: (userId) => {
      const pair = state.last.get(userId);
      return pair !== undefined && state.isUsable(pair);
    },
    seed: (count) => Array.from({ length: count }, () => addPair(state.addUser().user_id)),
  };
}

function answer(
  request: Arrived,
  caller: VeracodeUser,
  routes: VeracodeRoute[],
  { refuse }: VeracodeSettings,
): Answered {
  // The health check is at the root too.
  const isBelow = request.path.startsWith(`${base}/`) || request.path === '/healthcheck/status';
  const path = isBelow ? request.path.replace(base, '') : '';
  for (const route of routes) {
    const parts = route.method === request.method && route.path.exec(path);
    if (!parts) continue;
    if (route.administratorsOnly && !isAdministrator(caller)) return refuse(403, 'It is for administrators.');
    if (route.asksForType && !/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
      return refuse(415, 'The content type must be application/json.');
    return route.handle({ request, caller, part: parts[1] ?? '' });
  }
  return refuse(404, 'There is nothing at this address.');
}

/** Tells how long a call has to wait, in milliseconds; 0 where it is one of those that are answered. */
function limit(perMinute: number, now: () => number): () => number {
  const times: number[] = [];
  return () => {
    if (perMinute === Infinity) return 0;
    while (times[0] !== undefined && times[0] <= now() - 60_000) times.shift();
    if (times.length >= perMinute) return (times[0] ?? now()) + 60_000 - now();
    times.push(now());
    return 0;
  };
}

/** Tells whether a proof has come before, within the time in which it can hold. */
function memory(now: () => number): (proof: VeracodeProof) => boolean {
  const seen = new Map<string, number>();
  return ({ apiId, nonce }) => {
    for (const [key, atMs] of seen) {
      if (now() - atMs <= 2 * farthestMs) break;
      seen.delete(key);
    }
    const key = `${apiId} ${nonce}`;
    const isKnown = seen.has(key);
    if (!isKnown) seen.set(key, now());
    return isKnown;
  };
}
