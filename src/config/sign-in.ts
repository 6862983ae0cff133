/** How people of an issuer sign in to the console: by OpenID Connect, with the code flow and PKCE (RFC 7636). */
export interface SignIn {
  readonly issuer: string;
  /** What the issuer knows the console as: a public client, without a secret. */
  readonly clientId: string;
  /** What people call the issuer. */
  readonly name: string;
  /** What is asked for, separated by spaces. */
  readonly scope: string;
  /** What else is asked with, such as an `audience`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Which of the two tokens calls Keyway. */
  readonly token: 'access' | 'id';
  /** Where else than at the origin of the issuer its endpoints are. */
  readonly origins: readonly string[];
}

/** What the flow itself asks with (RFC 6749, section 4.1; RFC 7636, section 4.3; OpenID Connect Core 1.0, section 3.1.2). */
const ofTheFlow = [
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
];

const mostParameters = 8;

export const signInMust = `an object with clientId, and perhaps name, scope (with openid in it), parameters (at most ${mostParameters} texts, none of ${ofTheFlow.join(', ')}), token (access or id) and origins (https); the issuer must be an https address`;

type Given = Record<string, unknown>;

/** Whether this says how people sign in, at an issuer of that name. @param local whether http will do, for trials. */
export function isSignIn(value: unknown, issuer: unknown, local: boolean): value is Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const {
    clientId,
    name = 'its host',
    scope = usualScope,
    parameters = {},
    token,
    origins = [],
    ...others
  } = value as Given;
  return (
    isOrigin(typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer).origin : issuer, local) &&
    isLine(clientId) &&
    isLine(name) &&
    isLine(scope) &&
    scope.split(' ').includes('openid') &&
    isParameters(parameters) &&
    [undefined, 'access', 'id'].includes(token as string | undefined) &&
    Array.isArray(origins) &&
    origins.length <= mostParameters &&
    origins.every((origin) => isOrigin(origin, local)) &&
    Object.keys(others).length === 0
  );
}

/** What was checked before. */
export const signInOf = (
  issuer: string,
  {
    clientId,
    name = new URL(issuer).host,
    scope = usualScope,
    parameters = {},
    token = 'access',
    origins = [],
  }: Given,
): SignIn => ({ issuer, clientId, name, scope, parameters, token, origins }) as SignIn;

const usualScope = 'openid';

const isLine = (value: unknown): value is string =>
  typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value);

/**
 * As the policy of a page names it: anything else in its place would be part of the policy. A URL takes `*`, `;` and `,` in
 * the name of a host.
 */
const isOrigin = (value: unknown, local: boolean): boolean =>
  typeof value === 'string' &&
  URL.canParse(value) &&
  new URL(value).origin === value &&
  /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/.test(value) &&
  (value.startsWith('https:') || local);

const isParameters = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length <= mostParameters &&
  Object.entries(value).every(
    ([name, text]) => /^[a-z_]{1,64}$/.test(name) && !ofTheFlow.includes(name) && isLine(text),
  );
