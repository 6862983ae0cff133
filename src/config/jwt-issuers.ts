import { isAbsolute } from 'node:path';
import {
  longestBearer,
  longestJwtHours,
  mostFirstSights,
  mostRolesOfIssuer,
  usualFirstSights,
  usualJwtBytes,
  usualJwtHours,
} from './limits.js';
import { isSignIn, signInMust, signInOf, type SignIn } from './sign-in.js';

/** The signatures that are taken, all of them by a public key. */
export type JwsAlgorithm = (typeof algorithms)[number];

const algorithms = ['EdDSA', 'ES256', 'ES384', 'PS256', 'PS384', 'RS256', 'RS384', 'RS512'] as const;

/** An issuer of tokens: whose tokens are accepted, for which audience, and where the keys are. */
export interface JwtIssuer {
  /** As in the claim `iss`, letter by letter. */
  readonly issuer: string;
  /** Where its JSON Web Key Set (RFC 7517) is. */
  readonly keys: KeysAt;
  /** A file with a token that the issuer wants from whoever reads its keys. */
  readonly bearerFile: string | undefined;
  /** A file with certificates in PEM, the only ones that the issuer is trusted by. */
  readonly certificateAuthorityFile: string | undefined;
  /** Of these, the claim `aud` must name one. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly JwsAlgorithm[];
  /** The claim that names the caller: the subject of its identities. */
  readonly claim: ClaimPath;
  /** Whether an e-mail address (the claim `email`) counts that the issuer has not verified. */
  readonly unverifiedEmail: boolean;
  /** What else a token must say, all of it. */
  readonly require: readonly RequiredClaim[];
  /** Which roles its tokens bring, besides those of the account. */
  readonly roles: readonly ClaimedRole[];
  /** Which accounts are made for its users; none, where undefined. */
  readonly accounts: FirstSight | undefined;
  /** How its people sign in to the console; not there, where undefined. */
  readonly console: SignIn | undefined;
  /** How long after its `iat` a token may end at most. */
  readonly longestLifetimeHours: number;
  /** How long a token may be, in bytes. */
  readonly largestTokenBytes: number;
}

/** Where in the claims of a token something stands: the names that lead there. */
export type ClaimPath = readonly string[];

/** A claim that a token must have: one of these values, alone or in a list. */
export interface RequiredClaim {
  readonly claim: ClaimPath;
  readonly is: readonly (string | number | boolean)[];
}

/** A role that whoever's token has a claim holds at one place, for as long as the token says so. */
export interface ClaimedRole extends RequiredClaim {
  /** Ids as callers see them. */
  readonly role: string;
  readonly onAccount: string | null;
  readonly onProject: string | null;
  /** Whether the place is everywhere; then there is no other. */
  readonly everywhere: boolean;
}

/** Which accounts are made for users of an issuer who have none. */
export interface FirstSight {
  /** The id of the account that they are part of, as callers see it. */
  readonly parent: string;
  readonly kind: 'PERSON' | 'SERVICE';
  /** What their names begin with. */
  readonly name: string;
  /** The claim that their titles are; their subject, where it is no line of text. */
  readonly title: ClaimPath;
  /** What a token must say for an account to be made, all of it. */
  readonly when: readonly RequiredClaim[];
  /** How many accounts the parent may have. */
  readonly most: number;
}

/** Where the keys of an issuer are: at an address, in a file, in the configuration, or where the issuer itself says. */
export type KeysAt =
  | { readonly address: string }
  | { readonly file: string }
  | { readonly inline: Readonly<Record<string, unknown>> }
  | 'discovered';

/**
 * Claims that people choose themselves or may get after another, by the last of the names that lead to them: nothing hangs
 * on them (OpenID Connect Core 1.0, section 5.7; Entra's are mutable, too:
 * https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
 */
const chosen = [
  'name',
  'given_name',
  'family_name',
  'middle_name',
  'nickname',
  'preferred_username',
  'upn',
  'unique_name',
  'phone_number',
];

/** Claims that are no name of the caller: those, and what the token itself is about. */
const namesNobody = [
  ...['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'nonce', 'sid', 'scope', 'scp'],
  ...chosen,
];

type Given = Record<string, unknown>;

/** A member of the setting, what must hold of it, and the words for that. What is left out has passed where it may be. */
interface Member {
  name: string;
  fits: (value: unknown, given: Given, local: boolean) => boolean;
  must: string;
}

const members: readonly Member[] = [
  {
    name: 'issuer',
    fits: (value, _, local) => isName(value) && (local || !/^http:/i.test(value)),
    must: 'a text of 1 to 255 characters, not an http address',
  },
  {
    name: 'jwks',
    fits: (value, { issuer, jwksFile }, local) => {
      if (typeof value === 'object') return isPublicKeys(value);
      if (value !== undefined) return isAddress(value, local);
      return jwksFile !== undefined || (isAddress(issuer, local) && !String(issuer).includes('?'));
    },
    must: 'an https address, or a set of public keys; it may be left out where the issuer is an https address that tells where its keys are, or with jwksFile',
  },
  {
    name: 'jwksFile',
    fits: (value, { jwks }) => value === undefined || (isFile(value) && jwks === undefined),
    must: 'the absolute path of a file, and no jwks beside it',
  },
  {
    name: 'bearerFile',
    fits: (value, given) => value === undefined || (isFile(value) && isCalled(given)),
    must: 'the absolute path of a file, where the keys are read from an address',
  },
  {
    name: 'certificateAuthorityFile',
    fits: (value, given) => value === undefined || (isFile(value) && isCalled(given)),
    must: 'the absolute path of a file, where the keys are read from an address',
  },
  {
    name: 'audience',
    fits: (value) => listed(value).length > 0 && listed(value).every(isName),
    must: 'a text of 1 to 255 characters, or a list of such',
  },
  {
    name: 'algorithms',
    fits: (value) => value === undefined || isAlgorithms(value),
    must: `a list out of ${algorithms.join(', ')}`,
  },
  {
    name: 'claim',
    fits: (value = 'sub') => isPath(value) && !namesNobody.includes(lastOf(value)),
    must: `the name of a claim, or a list of the names that lead to it, not ${namesNobody.join(', ')}`,
  },
  {
    name: 'unverifiedEmail',
    fits: (value, given) => value === undefined || (typeof value === 'boolean' && asksForEmail(given)),
    must: 'true or false, where claim is email here, in require, in roles or in accounts.when',
  },
  {
    name: 'require',
    fits: (value) => value === undefined || (Array.isArray(value) && value.every(isRequired)),
    must: `a list of objects with claim, a name or a list of names, and is, a value or a list of values; claim must be none that people choose, such as ${chosen.join(', ')}`,
  },
  {
    name: 'roles',
    fits: (value) =>
      value === undefined ||
      (Array.isArray(value) && value.length <= mostRolesOfIssuer && value.every(isClaimedRole)),
    must: `a list of at most ${mostRolesOfIssuer} objects with claim and is (as in require), the id of a role, and one of onAccount, onProject (an id) and everywhere (true)`,
  },
  {
    name: 'accounts',
    fits: (value, given) =>
      value === undefined || (isFirstSight(value) && isForSome(value, given) && !isEmail(given.claim)),
    must: `where claim is not email (who was disabled could come back by another address), an object with parent (the id of an account), and perhaps kind (PERSON or SERVICE), name (1 to 32 small letters, digits and hyphens), title (a claim), when (as require; needed where there is no require) and most (1 to ${mostFirstSights})`,
  },
  {
    name: 'console',
    fits: (value, { issuer }, local) => value === undefined || isSignIn(value, issuer, local),
    must: signInMust,
  },
  {
    name: 'longestLifetimeHours',
    fits: (value = usualJwtHours) => isWhole(value, 1, longestJwtHours),
    must: `a whole number from 1 to ${longestJwtHours}`,
  },
  {
    name: 'largestTokenBytes',
    fits: (value = usualJwtBytes) => isWhole(value, 1_024, longestBearer),
    must: `a whole number from 1024 to ${longestBearer}`,
  },
];

/**
 * The issuers in a JSON list of objects with these members, or what is wrong with it, in words that hold no value.
 * @param local whether http will do, for trials.
 */
export function readJwtIssuers(text: string, local: boolean): { issuers: JwtIssuer[]; faults: string[] } {
  const faults: string[] = [];
  const issuers: JwtIssuer[] = [];
  const items = parseList(text);
  if (!items) return { issuers, faults: ['must be a JSON list of issuers'] };
  for (const [index, item] of items.entries()) {
    const fault = (member: string, what: string) =>
      void faults.push(`must have at [${index}]${member} ${what}`);
    if (!isObject(item)) {
      fault('', 'an object');
      continue;
    }
    const names = members.map(({ name }) => name);
    if (Object.keys(item).some((name) => !names.includes(name)))
      fault('', `no members but ${names.join(', ')}`);
    for (const { name, fits, must } of members) if (!fits(item[name], item, local)) fault(`.${name}`, must);
    if (issuers.some(({ issuer }) => issuer === item.issuer)) fault('.issuer', 'another than before');
    issuers.push(issuerOf(item));
  }
  return { issuers, faults };
}

/** What was checked before, or is never used. */
function issuerOf(given: Given): JwtIssuer {
  const {
    issuer,
    jwks,
    jwksFile,
    bearerFile,
    certificateAuthorityFile,
    audience,
    algorithms: allowed = algorithms,
    claim = 'sub',
    unverifiedEmail = false,
    require = [],
    roles = [],
    accounts,
    console,
    longestLifetimeHours = usualJwtHours,
    largestTokenBytes = usualJwtBytes,
  } = given;
  const keys =
    typeof jwks === 'string'
      ? { address: jwks }
      : jwks !== undefined
        ? { inline: jwks }
        : jwksFile !== undefined
          ? { file: jwksFile }
          : 'discovered';
  return {
    issuer,
    keys,
    bearerFile,
    certificateAuthorityFile,
    audiences: listed(audience),
    algorithms: allowed,
    claim: listed(claim),
    unverifiedEmail,
    require: listed(require).filter(isObject).map(requiredOf),
    roles: listed(roles)
      .filter(isObject)
      .map((one) => ({
        ...requiredOf(one),
        role: one.role,
        onAccount: one.onAccount ?? null,
        onProject: one.onProject ?? null,
        everywhere: one.everywhere === true,
      })),
    accounts: isObject(accounts) ? firstSightOf(accounts) : undefined,
    console: isSignIn(console, issuer, true) ? signInOf(String(issuer), console) : undefined,
    longestLifetimeHours,
    largestTokenBytes,
  } as JwtIssuer;
}

const firstSightOf = ({
  parent,
  kind = 'PERSON',
  name = 'user',
  title = 'name',
  when = [],
  most = usualFirstSights,
}: Given) => ({
  parent,
  kind,
  name,
  title: listed(title),
  when: listed(when).filter(isObject).map(requiredOf),
  most,
});

const requiredOf = ({ claim, is }: Given) => ({ claim: listed(claim), is: listed(is) });

function parseList(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const listed = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value]);

const isObject = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;

const isName = (value: unknown): value is string =>
  typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);

/** A path that means the same wherever Keyway is started. */
const isFile = (value: unknown): boolean =>
  typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,1024}$/u.test(value) && isAbsolute(value);

/** Whether the issuer itself is asked for its keys. */
const isCalled = ({ jwks, jwksFile }: Given): boolean =>
  jwksFile === undefined && (jwks === undefined || typeof jwks === 'string');

function isAddress(value: unknown, local: boolean): boolean {
  // What is parsed has U+FFFD in the place of half a surrogate pair.
  if (typeof value !== 'string' || /\p{Cs}/u.test(value) || !URL.canParse(value)) return false;
  const { protocol, username, password, hash } = new URL(value);
  const fits = protocol === 'https:' || (local && protocol === 'http:');
  return fits && username === '' && password === '' && hash === '';
}

/** A JWKS with keys, none of which says more than the public half: a private one does not belong into a setting. */
const isPublicKeys = (value: unknown): boolean =>
  isObject(value) &&
  Array.isArray(value.keys) &&
  value.keys.length > 0 &&
  value.keys.every((key) => isObject(key) && ['RSA', 'EC', 'OKP'].includes(String(key.kty)) && !('d' in key));

const lastOf = (path: unknown): string => String(listed(path).at(-1));

const isEmail = (path: unknown): boolean => listed(path).length === 1 && listed(path)[0] === 'email';

/** Whether an e-mail address decides anything. */
function asksForEmail({ claim, require, roles, accounts }: Given): boolean {
  const when = isObject(accounts) ? accounts.when : undefined;
  const asked = [require, roles, when].flatMap(listed).filter(isObject);
  return [claim, ...asked.map((one) => one.claim)].some(isEmail);
}

/** Whether it is asked who a newcomer is: all the users of an issuer may be all the world. */
const isForSome = ({ when }: Given, { require }: Given): boolean =>
  [when, require].some((asked) => Array.isArray(asked) && asked.length > 0);

const isPath = (value: unknown): boolean =>
  listed(value).length > 0 && listed(value).length <= 8 && listed(value).every(isName);

const isRequired = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).every((name) => ['claim', 'is'].includes(name)) &&
  isPath(value.claim) &&
  !chosen.includes(lastOf(value.claim)) &&
  listed(value.is).length > 0 &&
  listed(value.is).every((one) => isName(one) || typeof one === 'boolean' || Number.isSafeInteger(one));

const isClaimedRole = (value: unknown): boolean => {
  if (!isObject(value)) return false;
  const { claim, is, role, onAccount, onProject, everywhere, ...others } = value;
  const places = [isId('acct', onAccount), isId('proj', onProject), everywhere === true];
  return (
    isRequired({ claim, is }) &&
    isId('role', role) &&
    [onAccount, onProject, everywhere].filter((place) => place !== undefined).length === 1 &&
    places.includes(true) &&
    Object.keys(others).length === 0
  );
};

const isFirstSight = (value: unknown): value is Given => {
  if (!isObject(value)) return false;
  const { parent, kind = 'PERSON', name = 'user', title = 'name', when = [], most = 1, ...others } = value;
  return (
    isId('acct', parent) &&
    (kind === 'PERSON' || kind === 'SERVICE') &&
    typeof name === 'string' &&
    /^[a-z0-9][a-z0-9-]{0,31}$/.test(name) &&
    isPath(title) &&
    Array.isArray(when) &&
    when.every(isRequired) &&
    isWhole(most, 1, mostFirstSights) &&
    Object.keys(others).length === 0
  );
};

const isId = (prefix: string, value: unknown): boolean =>
  typeof value === 'string' && new RegExp(`^${prefix}_[0-9A-Za-z]{22}$`).test(value);

const isAlgorithms = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((one) => algorithms.some((name) => name === one));
