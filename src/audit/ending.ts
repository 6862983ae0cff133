/**
 * What a deed leaves of its target, where that is less than before: enough to end it again where an older state of the
 * database is put back. Each member is there where it was changed, and says how it is since.
 */
export interface Ending {
  /** It ended for good, or was deleted. */
  readonly gone?: 'REVOKED' | 'DELETED';
  /** Its store was asked to end it, and had not confirmed that yet; the store knew it by this id then. */
  readonly atStore?: { readonly verb: 'REVOKE' | 'DELETE'; readonly externalId: string | null };
  readonly enabled?: boolean;
  readonly expiresAt?: string | null;
  readonly allowedIps?: readonly string[];
  /** How often a credential may be verified; null where any number of times. */
  readonly limits?: Limits | null;
  /** The roles that it carries no more, by UUID. */
  readonly lostRoles?: readonly string[];
  /** All secrets with a lower number have been replaced. */
  readonly secretsBefore?: number;
  /** They are keys of their own in its store, which end there too. */
  readonly keysEnd?: true;
  /** What a role allows. */
  readonly permissions?: readonly string[];
  /** The identities of an account, as tags by `tagOfIdentity`; of one that was deleted, those that it had. */
  readonly identities?: readonly string[];
  /** The identities that an account has no more, alike. */
  readonly lostIdentities?: readonly string[];
  /** Whether an account requires a second factor. */
  readonly mfaRequired?: boolean;
  /** The device by which an account proves a second factor; null where it has none any more. */
  readonly factor?: string | null;
  /** Recovery codes of an account that were used up, as the tags that recognize them, in hexadecimal digits. */
  readonly usedCodes?: readonly string[];
  /** Scopes of a store that accounts, by UUID, have no more. */
  readonly lostScopes?: readonly { readonly account: string; readonly scope: string }[];
}

/** Each is null where there is no such limit. */
interface Limits {
  readonly rateUses: number | null;
  readonly rateSeconds: number | null;
  readonly usesLeft: number | null;
  readonly refillAmount: number | null;
  readonly refillSeconds: number | null;
}

/** An ending as a line of checkpoints has it. */
export interface KeptEnding extends Ending {
  /** The number of its event, and when that was. */
  readonly number: string;
  readonly at: string;
  /** What it is of: the type of that in the graph, and its UUID. */
  readonly type: string;
  readonly id: string;
}

/** Undefined where nothing is said. */
export const endingOfTerms = (terms: Ending): Ending | undefined =>
  Object.keys(terms).length > 0 ? terms : undefined;

/** As an event keeps it. */
export const endingText = (ending: Ending): string => JSON.stringify(ending);

export const endingOf = (text: string): Ending => JSON.parse(text) as Ending;

/** What an ending says, without where that stood. */
export const endingIn = (kept: Ending): Ending =>
  Object.fromEntries(says.flatMap((name) => (kept[name] === undefined ? [] : [[name, kept[name]]])));

const says = [
  'gone',
  'atStore',
  'enabled',
  'expiresAt',
  'allowedIps',
  'limits',
  'lostRoles',
  'secretsBefore',
  'keysEnd',
  'permissions',
  'identities',
  'lostIdentities',
  'mfaRequired',
  'factor',
  'usedCodes',
  'lostScopes',
] as const satisfies (keyof Ending)[];
