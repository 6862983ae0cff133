import { Secret } from '../../secret.js';
import { expectGood, neededAt, textAt } from '../answers.js';
import type { StoreAnswer, StoreRequest, Upstream } from '../connector.js';
import { missingPath } from '../endpoint.js';
import { landscapeCode, landscapeFault } from './faults.js';
import { textSetting } from '../settings.js';
import { beforehand, StoreError } from '../store-error.js';

/**
 * Asks as the person that the connection belongs to. Where the token does not count any more a new one is fetched,
 * once. An answer is handed on whatever it says.
 * @throws StoreError, never unclear, where the person cannot log in.
 */
export async function askLandscape(upstream: Upstream, request: StoreRequest): Promise<StoreAnswer> {
  const attempt = async (again: boolean) => {
    const token = await beforehand(() => upstream.session(() => tokenFor(upstream), again));
    return upstream.call({ ...below(upstream, request), sign: () => bearer(token) });
  };
  const answer = await attempt(false);
  return landscapeFault(answer) === 'UNAUTHENTICATED' ? attempt(true) : answer;
}

/** Tries to log in with a pair. That changes nothing, so it may be tried again. */
export const logInWith = (upstream: Upstream, accessKey: string, secretKey: Secret): Promise<StoreAnswer> =>
  logIn(upstream, ['login', 'access-key'], { access_key: accessKey, secret_key: secretKey.expose() });

/**
 * Asks whether each way in is taken, where there are two, and leads to one person: another's listing would be taken for
 * this one's. @throws StoreError
 */
export async function expectOnePerson(upstream: Upstream): Promise<void> {
  const [byPair, byPassword] = waysIn(upstream);
  if (!byPair || !byPassword) return;
  const [one, other] = [await byPair(), await byPassword()];
  for (const answer of [one, other]) tokenIn(answer);
  if (textAt(one.json, 'email') !== textAt(other.json, 'email'))
    throw new StoreError('INVALID_INPUT', { message: 'The two ways in belong to two persons.' });
}

/** A pair may no longer work: the password still does. */
async function tokenFor(upstream: Upstream): Promise<Secret> {
  const { jwt } = upstream.secrets;
  const [way, fallback] = waysIn(upstream);
  if (way) {
    const answer = await way();
    return tokenIn(fallback && landscapeFault(answer) === 'UNAUTHENTICATED' ? await fallback() : answer);
  }
  if (jwt) return jwt;
  throw new StoreError('UNAUTHENTICATED', {
    sent: false,
    cause: 'the connection has nothing to log in with',
  });
}

function waysIn(upstream: Upstream): (() => Promise<StoreAnswer>)[] {
  const { secretKey, password } = upstream.secrets;
  const accessKey = textSetting(upstream, 'accessKey');
  return [
    ...(secretKey && accessKey !== null ? [() => logInWith(upstream, accessKey, secretKey)] : []),
    ...(password
      ? [() => logIn(upstream, ['login'], { ...whoIn(upstream), password: password.expose() })]
      : []),
  ];
}

/** A person of a directory is known by an identity, all others by an address. */
function whoIn(upstream: Upstream): Record<string, string> {
  const account = textSetting(upstream, 'account');
  const identity = textSetting(upstream, 'identity');
  return {
    ...(identity === null ? { email: textSetting(upstream, 'email') ?? '' } : { identity }),
    ...(account !== null && { account }),
  };
}

const logIn = (upstream: Upstream, path: string[], body: Record<string, string>): Promise<StoreAnswer> =>
  upstream.call({ ...below(upstream, { method: 'POST', path, body }), reads: true });

function tokenIn(answer: StoreAnswer): Secret {
  expectGood(answer, landscapeFault, landscapeCode(answer));
  return Secret.of(neededAt(answer.json, 'token'));
}

const below = (upstream: Upstream, request: StoreRequest): StoreRequest => ({
  ...request,
  path: [...missingPath(upstream, ['api', 'v2']), ...request.path],
});

const bearer = (token: Secret) => ({ authorization: `Bearer ${token.expose()}` });
