import type { Secret } from '../secret.js';
import type { SecretFormat, TokenKind } from '../keyring/token.js';

/** The secret that is wanted: its kind, and what is already settled about it. */
export type Wish =
  | { kind: 'ACCESS_KEY'; prefix: string | null; format: SecretFormat | null; accessKey: string | null }
  | { kind: 'TOKEN'; prefix: string | null; tokenKind: TokenKind; accessKey: string | null }
  | { kind: 'PASSWORD'; accessKey: string; password: Secret | null }
  | { kind: 'PROVIDER_KEYS'; keys: { name: string; value: Secret }[] };

/** A secret as its store has it now. */
export interface Minted {
  /** The public half, where there is one. */
  accessKey: string | null;
  secret: Secret | null;
  keys: { name: string; value: Secret }[] | null;
  /** The part that a presented secret is compared by; the whole secret for all but tokens. */
  proof: Secret | null;
}

/** One store, opened: its settings, its secret and the way to it. A connector touches nothing else. */
export interface Upstream {
  readonly endpoint: string | null;
}

/**
 * The code for a kind of store: one constant without state. A verb that is there is a capability; what the vendor
 * lacks is left out.
 */
export interface Connector {
  readonly kind: string;
  /** Who makes a new secret, and whether the one before lives on: what presence cannot tell. */
  readonly rotation?: {
    readonly chosenBy: 'caller' | 'keyway' | 'store';
    readonly previous: 'lives' | 'dies';
  };
  /** Asks whether the store answers. @throws UNAVAILABLE or STORE_REJECTED where it does not. */
  check(upstream: Upstream): Promise<void>;
  list?(upstream: Upstream): AsyncIterable<{ externalId: string }>;
  find?(upstream: Upstream, externalId: string): Promise<{ externalId: string } | undefined>;
  create?(upstream: Upstream, wish: Wish): Promise<Minted>;
  update?(upstream: Upstream, externalId: string): Promise<void>;
  rotate?(upstream: Upstream, wish: Wish): Promise<Minted>;
  revoke?(upstream: Upstream, externalId: string): Promise<void>;
  delete?(upstream: Upstream, externalId: string): Promise<void>;
  reveal?(upstream: Upstream, externalId: string): Promise<Secret | undefined>;
  issue?(upstream: Upstream, wish: Wish): Promise<Minted>;
  accessList?(upstream: Upstream, externalId: string): Promise<readonly string[]>;
}
