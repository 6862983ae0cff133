import { membersOf } from './members-of.js';
import { timeText, type VeracodeCall, type VeracodeRoute, type VeracodeSettings } from './veracode-call.js';
import { isAdministrator, type VeracodePair } from './veracode-state.js';
import type { Answered } from './stand-in.js';

/** The pairs: one a user (docs.veracode.com/r/c_identity_gen_creds). */
export function credentialRoutes(settings: VeracodeSettings): VeracodeRoute[] {
  const { state, now, refuse, showsRevoked } = settings;
  const own = /^\/api_credentials$/;
  const ofUser = /^\/api_credentials\/user_id\/([^/]+)$/;
  const byId = /^\/api_credentials\/([^/]+)$/;
  const missing = () => refuse(404, 'There are no such API credentials.');

  const userOf = ({ part, caller }: VeracodeCall): string => part || caller.user_id;

  const show = (pair: VeracodePair | undefined): Answered => {
    if (!pair || (!showsRevoked && (pair.revokedMs ?? Infinity) <= now())) return missing();
    return { status: 200, body: shown(pair, settings) };
  };
  const showLast = (call: VeracodeCall) => show(state.last.get(userOf(call)));

  const generate = (call: VeracodeCall): Answered => {
    if (!state.users.has(userOf(call))) return refuse(404, 'There is no such user.');
    if (!membersOf(call.request)) return refuse(400, 'The body is not valid.');
    const pair = state.generate(userOf(call), call.caller.user_name);
    return { status: 200, body: { ...shown(pair, settings), api_secret: pair.apiKey } };
  };

  const revoke = (pair: VeracodePair | undefined, { caller }: VeracodeCall): Answered => {
    if (!pair || !state.isLive(pair)) return missing();
    state.revoke(pair, caller.user_name);
    return { status: 200 };
  };
  const revokeLast = (call: VeracodeCall) => revoke(state.last.get(userOf(call)), call);

  /** By its id, with its prefix or without, where the caller may see it. */
  const pairOf = ({ part, caller }: VeracodeCall): VeracodePair | undefined => {
    const pair = state.pairOf(part);
    return pair && (pair.userId === caller.user_id || isAdministrator(caller)) ? pair : undefined;
  };

  return [
    { method: 'GET', path: own, handle: showLast },
    { method: 'POST', path: own, asksForType: true, handle: generate },
    { method: 'DELETE', path: own, asksForType: true, handle: revokeLast },
    { method: 'GET', path: ofUser, administratorsOnly: true, handle: showLast },
    { method: 'POST', path: ofUser, administratorsOnly: true, asksForType: true, handle: generate },
    { method: 'DELETE', path: ofUser, administratorsOnly: true, asksForType: true, handle: revokeLast },
    { method: 'GET', path: byId, handle: (call) => show(pairOf(call)) },
    { method: 'DELETE', path: byId, asksForType: true, handle: (call) => revoke(pairOf(call), call) },
  ];
}

const shown = ({ apiId, expiresMs, revokedMs, revokedBy }: VeracodePair, { dates }: VeracodeSettings) => ({
  api_id: apiId,
  expiration_ts: timeText(expiresMs, dates),
  ...(revokedMs !== undefined && {
    revocation_user: revokedBy,
    revocation_ts: timeText(revokedMs, dates),
  }),
  _links: { self: { href: `/api/authn/v2/api_credentials/${apiId}` } },
});
