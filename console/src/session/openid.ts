import * as oauth from 'oauth4webapi';
import { home, remember, viewHere, type Away } from './away.ts';
import { signIns, type SignInAt } from './sign-ins.ts';

/** What an issuer gave. */
export interface Given {
  token: string;
  /** Where the issuer is asked to end its own session; undefined where it has no such place. */
  signOutAt: string | undefined;
}

const optionsFor = ({ issuer }: SignInAt) => ({ [oauth.allowInsecureRequests]: issuer.startsWith('http:') });

async function discover(at: SignInAt): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(at.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, optionsFor(at)));
}

/**
 * Leaves for the issuer (OpenID Connect Core 1.0, section 3.1, with PKCE by RFC 7636), to come back to the view that is open.
 * @throws where the issuer cannot be reached
 */
export async function leaveFor(at: SignInAt): Promise<void> {
  const { authorization_endpoint: endpoint } = await discover(at);
  if (endpoint === undefined) throw new Error('the issuer has no place to sign in');
  const away: Away = {
    issuer: at.issuer,
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    path: viewHere(),
  };
  remember(away);
  const address = new URL(endpoint);
  const asked = {
    ...at.parameters,
    response_type: 'code',
    client_id: at.clientId,
    redirect_uri: home(),
    scope: at.scope,
    state: away.state,
    nonce: away.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(away.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(asked)) address.searchParams.set(name, value);
  location.assign(address);
}

/** Takes the token for the code that came back. @throws where the issuer refuses, or it is not for what was asked */
export async function redeem(address: URL, { issuer, verifier, state, nonce }: Away): Promise<Given> {
  const at = signIns().find((one) => one.issuer === issuer);
  if (!at) throw new Error('nobody signs in there any more');
  const server = await discover(at);
  const client: oauth.Client = { client_id: at.clientId };
  const parameters = oauth.validateAuthResponse(server, client, address, state);
  const answer = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    home(),
    verifier,
    { ...optionsFor(at), additionalParameters: at.parameters },
  );
  const given = await oauth.processAuthorizationCodeResponse(server, client, answer, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  return {
    token: at.token === 'id' ? String(given.id_token) : given.access_token,
    signOutAt: signOutAt(server, at),
  };
}

/** By OpenID Connect RP-Initiated Logout 1.0, without the token: an address is kept by too many. */
function signOutAt({ end_session_endpoint: endpoint }: oauth.AuthorizationServer, { clientId }: SignInAt) {
  if (endpoint === undefined) return undefined;
  const address = new URL(endpoint);
  address.searchParams.set('client_id', clientId);
  address.searchParams.set('post_logout_redirect_uri', home());
  return address.href;
}
