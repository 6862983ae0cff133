import type { SecretEncoding, TokenKind } from '../keyring/token.js';
import type { Secret } from '../secret.js';
import type { VendorConnection } from './connection.js';

/** What kind of secret a credential has. */
export type Kind = 'ACCESS_KEY' | 'TOKEN' | 'PASSWORD' | 'PROVIDER_KEYS';

/** The secret that is wanted: its kind, and what is already settled about it. */
export type Wish =
  | { kind: 'ACCESS_KEY'; prefix: string | null; format: SecretEncoding | null; accessKey: string | null }
  | { kind: 'TOKEN'; prefix: string | null; tokenKind: TokenKind; accessKey: string | null }
  | { kind: 'PASSWORD'; accessKey: string; password: Secret | null }
  | { kind: 'PROVIDER_KEYS'; provider: string; keys: { name: string; value: Secret }[] };

/** Whether a store lets in what is of one principal of its own, and from where; what it does not say is left out. */
export interface Admission {
  /** False where the store does not let it in, though it is switched on itself. */
  enabled?: boolean | undefined;
  /** As the store writes them: what is there and can be no address is a restriction too. Any address, where empty. */
  allowedIps?: readonly string[] | undefined;
}

/** A secret as its store has it now. */
export interface Minted extends Admission {
  /** The public half, where there is one. */
  accessKey: string | null;
  secret: Secret | null;
  keys: { name: string; value: Secret }[] | null;
  /** The part that a presented secret is compared by; the whole secret for all but tokens. */
  proof: Secret | null;
  /** When the store ends it by itself, where it said so: RFC 3339, UTC. */
  expiresAt?: string | null;
  /** Whether it was issued after a second factor of the store's. */
  mfa?: boolean;
  /** Whether the store has it, but not in every environment yet. */
  partial?: boolean;
  /** What the store's record goes by since this change, where it says so. */
  revision?: string | null;
  /** When the store made it, where it said so: RFC 3339, UTC. */
  createdAt?: string | null | undefined;
  /** What a role has to trust since, where the store said so. */
  trust?: Trust | null;
}

/** What is recorded of a credential besides its secret. Times are RFC 3339 in UTC; roles go by their names. */
export interface Described {
  name: string;
  description: string | null;
  category: string | null;
  fullName: string | null;
  email: string | null;
  enabled: boolean;
  allowedIps: readonly string[];
  roles: readonly string[];
  expiresAt: string | null;
  /** The server that its keys are for. */
  baseUrl: string | null;
}

/** A credential that a store is to make. */
export interface Wanted extends Described {
  /** Where in the store; its only place, where null. */
  scope: string | null;
  wish: Wish;
}

/** A credential that a store has made. */
export interface Created {
  externalId: string;
  scope: string;
  minted: Minted;
}

/** A credential of a store, as Keyway knows it. */
export interface Known {
  externalId: string;
  /**
   * Where in the store: a workspace, project, user, account or sub account of the vendor's; empty where it has none.
   */
  scope: string;
  kind: Kind;
  name: string;
  accessKey: string | null;
  provider: string | null;
  enabled: boolean;
  /** Whether it was issued for a while, out of a permanent one. */
  temporary: boolean;
  /** What the store's record of it went by when Keyway had written it last; null where that is not known. */
  revision: string | null;
  /** The access keys that belong to it: of its current secret, and of others that may still be there. */
  keys: readonly string[];
}

/** What a role has to trust, so that a store can assume it. */
export interface Trust {
  externalId: string;
  /** A policy that says so, where the store has one. */
  policy: string | null;
}

/** What a store says of one credential, never its secret. What it does not say is left out. */
export interface Observed extends Partial<Described> {
  externalId: string;
  scope: string;
  kind: Kind;
  name: string;
  /** As the store writes them: what is there and can be no address is a restriction too. */
  allowedIps?: readonly string[] | undefined;
  accessKey?: string | null;
  provider?: string | null;
  createdAt?: string | null;
  lastUsedAt?: string | null;
  /** True where the store shows its secret at any time. */
  readable?: boolean;
  /** That its secret is not accepted where it is used, and why; null where it is, or nothing is wrong with it. */
  invalid?: { problem: string | null } | null;
  /** What a role that it assumes has to trust. */
  trust?: Trust | null;
  /** True for one that ended for good and is listed all the same. */
  revoked?: boolean;
}

/** A part of a listing, and where to go on after it; null at the end. */
export interface ListedPart {
  entries: readonly Observed[];
  /** Scopes that the store did not show, while it shows others: what is in them is not known to be gone. */
  unread?: readonly string[];
  /** True of the last part of a listing that did not show all there is: what is missing is not known to be gone. */
  incomplete?: boolean;
  /** True where the entries only tell what became of credentials that are known: the others are not of this listing. */
  followed?: boolean;
  /** Whether what it shows depends on the parts before it too: it is then as old as the first of them. */
  sinceFirst?: boolean;
  next: string | null;
}

/** One request to a store. It is made of parts: none of them can lead to another host or path. */
export interface StoreRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Which of the store's addresses; `endpoint` where left out. */
  at?: string;
  /** Segments of the path after that address's own, each to be encoded; an empty one last makes it end with a slash. */
  path: readonly string[];
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON; a form where it is URLSearchParams. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Headers that prove who is calling, made again for every attempt. */
  sign?: (request: { method: string; url: URL; body: string | undefined }) => Record<string, string>;
  /** Whether it changes nothing, so that it may be tried again; by default, whether it is a GET. */
  reads?: boolean;
  /** Whether it is a listing without pages, which may be larger than other answers. */
  large?: boolean;
  /** Whether a change needs it, so that it may spend what reads leave of what the store allows. */
  forChange?: boolean;
  /** Whether nobody waits for it: a part of what the store allows is left for those who do. */
  background?: boolean;
}

/** An answer of a store, whatever its status. */
export interface StoreAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as JSON; undefined where it is empty or none. */
  json: unknown;
}

/** One store, opened: its settings, its secrets and the way to it. A connector touches nothing else. */
export interface Upstream {
  /** Addresses by name: `endpoint`, and what else the kind of store has. */
  readonly addresses: Readonly<Record<string, string>>;
  /** What else was said of it when it was connected: names of workspaces or projects, versions. */
  readonly settings: Readonly<Record<string, string | number | readonly string[]>>;
  /** What Keyway proves itself with there, by the names of the connection's fields. */
  readonly secrets: Readonly<Record<string, Secret>>;
  /** The time by the clock of the database, in whole milliseconds since 1970. */
  now(): number;
  /** @throws StoreError UPSTREAM_UNAVAILABLE or RATE_LIMITED where no whole answer came. */
  call(request: StoreRequest): Promise<StoreAnswer>;
  /** What `make` answered first, as long as this store is open: a session there. `again` makes another. */
  session<Thing>(make: () => Promise<Thing>, again?: boolean): Promise<Thing>;
}

/** What a store keeps of a credential by itself, so that a change has to reach it. */
export type KeptByStore = keyof Described;

/** A place in a store: by what it goes, and what people call it. */
export interface Scope {
  id: string;
  name: string;
}

/** How sure it is that the secret that goes along with a change is the one that the store has. */
export interface UpdateTerms {
  /** Whether it is to be sent whatever the store has by now. */
  overwrites?: boolean;
  /** Whether the store may have made the change before. */
  again?: boolean;
}

/** What a change has come to. */
export interface Changed {
  partial?: boolean;
  /** As of `Minted`; left out where it stays as it was. */
  revision?: string | null;
  trust?: Trust | null;
}

/** A temporary credential that is wanted of a permanent one. */
export interface IssueWish {
  durationMs: number;
  /** A code of the store's own second factor, with the device that it is of. */
  mfa: { device: string; code: Secret } | null;
}

/** How the secrets of a store are used by those who have them. */
export interface SecretUse {
  /** The address that a secret is presented at; null where that is not known. The store's own, where left out. */
  readonly endpoint?: (store: Pick<Upstream, 'addresses' | 'settings'>) => string | null;
  /** What the vendor's own tools call `accessKey`, `secret` and `endpoint` as environment variables. */
  readonly variables?: Readonly<Partial<Record<'accessKey' | 'secret' | 'endpoint', string>>>;
  /** Either half of a pair without what only names its region. */
  readonly withoutRegion?: (half: string) => string;
}

/**
 * The code for a kind of store: one constant without state. A verb that is there is a capability; what the vendor
 * lacks is left out. A verb that changes something throws StoreError: `unclear` where it may have been done.
 */
export interface Connector {
  /** In capital letters, as the graph names it. */
  readonly kind: string;
  /** How a store of this kind is connected; left out for Keyway's own. */
  readonly connection?: VendorConnection;
  /** Who makes a new secret, and whether the one before lives on: what presence cannot tell. */
  readonly rotation?: {
    readonly chosenBy: 'caller' | 'keyway' | 'store';
    readonly previous: 'lives' | 'dies';
  };
  /** The kinds of secret that it makes; all, where left out. */
  readonly kinds?: readonly Kind[];
  /** How others use its secrets; left out where they are presented at the store's own address. */
  readonly use?: SecretUse;
  /** What the store keeps of a credential by itself; what else is recorded of it is Keyway's alone. */
  readonly keeps?: readonly KeptByStore[];
  /**
   * Where a change is taken only together with the secret: whether the store dates its record, so that a secret that
   * somebody else has brought in since is not overwritten unseen.
   */
  readonly secretGoesAlong?: 'dated' | 'undated';
  /** How many calls the store allows, where it says so. */
  readonly budget?: { readonly limit: number; readonly windowMs: number };
  /**
   * Asks whether the store answers and takes what Keyway proves itself with. Returns what it found out that is to be
   * kept among the settings of a new connection.
   */
  check(upstream: Upstream): Promise<void | Upstream['settings']>;
  /** Where in the store `create` makes credentials, as far as Keyway sees: what may be given as a `scope`. */
  scopes?(upstream: Upstream): Promise<readonly Scope[]>;
  /** All that is there, part by part, from where an earlier listing broke off. */
  list?(upstream: Upstream, from: string | null): AsyncIterable<ListedPart>;
  /** One of them; undefined if the store no longer has it. */
  find?(upstream: Upstream, known: Known): Promise<Observed | undefined>;
  /**
   * Ids that are there already where `create` or `rotate` would make another, of credentials or of keys: what came in
   * between two such answers was made by a request whose answer was lost.
   */
  present?(upstream: Upstream, at: { scope: string; wish: Wish; name: string }): Promise<readonly string[]>;
  /**
   * What it needs to be told, held against what is given of a new credential or changed of another, before anything is
   * on record. @throws BAD_USER_INPUT
   */
  expect?(given: Partial<Described & Pick<Wanted, 'scope'> & Pick<Known, 'provider'>>): void;
  create?(upstream: Upstream, wanted: Wanted): Promise<Created>;
  /**
   * Changes what is named, and leaves all else as the store has it now. Repeating it does no harm.
   * @param held the secret that goes along where the store wants one
   */
  update?(
    upstream: Upstream,
    known: Known,
    changes: Partial<Described>,
    held: Minted | null,
    terms?: UpdateTerms,
  ): Promise<Changed>;
  /** Brings in a new secret. Where the caller or Keyway chooses it, repeating it with the same one does no harm. */
  rotate?(upstream: Upstream, known: Known, wish: Wish, held: Minted | null): Promise<Minted>;
  /** Whether the store takes this secret, when it comes from Keyway. */
  probe?(upstream: Upstream, minted: Minted): Promise<boolean>;
  /** Ends one key of a credential that has several, for good; content where it is gone already. */
  retire?(upstream: Upstream, scope: string, accessKey: string): Promise<void>;
  /** Ends it for good; content where it is gone already. */
  revoke?(upstream: Upstream, known: Known): Promise<void>;
  /** Takes it away, ended; content where it is gone already. */
  delete?(upstream: Upstream, known: Known): Promise<void>;
  /** Its secret as the store shows it now; undefined where it has none. */
  reveal?(upstream: Upstream, known: Known, held: Minted | null): Promise<Minted | undefined>;
  /** A temporary credential. @param held the secret of the permanent one that it is derived from. */
  issue?(upstream: Upstream, held: Minted | null, wish: IssueWish): Promise<Minted>;
  /**
   * How the connection takes up a new secret of a credential that Keyway reaches the store with. Undefined where an
   * answer that is lost would lock Keyway out: then that credential cannot be rotated.
   */
  adoption?(settings: Upstream['settings'], accessKey: string | null): Adoption | undefined;
}

/** What changes in a connection by a new secret. */
export type Adoption = (minted: Minted) => {
  settings: Record<string, string>;
  secrets: Record<string, Secret>;
};
