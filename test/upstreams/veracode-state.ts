import { randomBytes, randomUUID } from 'node:crypto';
import { bare } from './veracode-signature.js';

export interface VeracodeUser {
  readonly user_id: string;
  readonly user_legacy_id: number;
  user_name: string;
  email_address: string;
  first_name: string;
  last_name: string;
  active: boolean;
  /** Lists alone tell it. */
  login_enabled: boolean;
  ip_restricted: boolean;
  allowed_ip_addresses: string[];
  pin_required: boolean;
  saml_user: boolean;
  teams: { team_id: string; team_name?: string }[];
  roles: { role_name: string; role_id?: string }[];
  permissions: { permission_name: string }[];
}

export interface VeracodePair {
  /** With its prefix, where it has one. */
  readonly apiId: string;
  readonly apiKey: string;
  readonly userId: string;
  expiresMs: number;
  /** It lives until then; undefined: until it expires. */
  revokedMs?: number;
  /** The name of the user who did. */
  revokedBy?: string;
}

export type VeracodeState = ReturnType<typeof veracodeState>;

/** What the organisation holds, and what is done to it. */
export function veracodeState(now: () => number, oldLives: 'no' | '24h') {
  const users = new Map<string, VeracodeUser>();
  /** By their ids without a prefix. */
  const pairs = new Map<string, VeracodePair>();
  /** The last pair of each user, by the user's id. */
  const last = new Map<string, VeracodePair>();

  const addUser = (more: Partial<Omit<VeracodeUser, 'user_id' | 'user_legacy_id'>> = {}): VeracodeUser => {
    const number = users.size + 1;
    const user_name = more.user_name ?? `user-${number}@example.com`;
    const one: VeracodeUser = {
      user_id: randomUUID(),
      user_legacy_id: number,
      user_name,
      email_address: user_name,
      first_name: 'Made-up',
      last_name: `User ${number}`,
      active: true,
      login_enabled: true,
      ip_restricted: false,
      allowed_ip_addresses: [],
      pin_required: false,
      saml_user: false,
      teams: [],
      roles: [],
      permissions: [],
      ...more,
    };
    users.set(one.user_id, one);
    return one;
  };

  const isLive = ({ expiresMs, revokedMs = Infinity }: VeracodePair): boolean =>
    now() < expiresMs && now() < revokedMs;

  const revoke = (pair: VeracodePair, by: string, atMs = now()): void => {
    if (pair.revokedMs !== undefined && pair.revokedMs <= atMs) return;
    pair.revokedMs = atMs;
    pair.revokedBy = by;
  };

  /** Gives a user a new pair in the place of the old one. */
  const generate = (userId: string, by: string, { prefixed = true } = {}): VeracodePair => {
    const old = last.get(userId);
    if (old) revoke(old, by, oldLives === '24h' ? now() + 86_400_000 : now());
    const expires = new Date(now());
    expires.setUTCFullYear(expires.getUTCFullYear() + 1);
    const pair: VeracodePair = {
      apiId: `${prefixed ? 'vera01gi-' : ''}${randomBytes(16).toString('hex')}`,
      apiKey: `${prefixed ? 'vera01gs-' : ''}${randomBytes(64).toString('hex')}`,
      userId,
      expiresMs: expires.getTime(),
    };
    pairs.set(pair.apiId.slice(-32), pair);
    last.set(userId, pair);
    return pair;
  };

  return {
    users,
    last,
    /** The pair of this id, with its prefix or without. */
    pairOf: (apiId: string): VeracodePair | undefined => pairs.get(bare(apiId) ?? ''),
    addUser,
    isLive,
    /** Whether a pair signs calls. It is assumed that it does not once its user is disabled. */
    isUsable: (pair: VeracodePair): boolean => {
      const user = users.get(pair.userId);
      return isLive(pair) && user?.active === true && user.login_enabled;
    },
    revoke,
    generate,
  };
}

/** Whether a user may do more than look at itself: an administrator, or an API account with the role for it. */
export const isAdministrator = ({ roles, permissions }: VeracodeUser): boolean =>
  roles.some(({ role_name }) => role_name === 'Administrator') ||
  (roles.some(({ role_name }) => role_name === 'adminapi') &&
    permissions.some(({ permission_name }) => permission_name === 'apiUser'));
