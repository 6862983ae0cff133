// Public issuers of tokens, and a public client that gets tokens of them, as their pages say to set them up. Prints a line
// of JSON with what each issuer is called and the tokens that it gave, and serves their keys until standard input ends.
import { exportJWK, generateKeyPair } from 'jose';
import { OAuth2Server } from 'oauth2-mock-server';
import Provider from 'oidc-provider';
import { allowInsecureRequests, clientCredentialsGrant, discovery } from 'openid-client';
import { createServer } from 'node:http';

const algorithms = ['ES256', 'ES384', 'EdDSA', 'PS256', 'PS384', 'RS256', 'RS384', 'RS512'];
const secret = 'a secret of the client alone, which is long enough';
const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

/** Tokens that the client gets there by what it is asked with. */
async function tokensOf(issuer, asked) {
  const known = await discovery(new URL(issuer), 'robot', secret, undefined, {
    execute: [allowInsecureRequests],
  });
  const tokens = [];
  for (const parameters of asked) tokens.push((await clientCredentialsGrant(known, parameters)).access_token);
  return tokens;
}

async function oidcProvider() {
  const server = createServer();
  await listen(server);
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const keys = [];
  for (const alg of algorithms) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `key-${alg}` });
  }
  const provider = new Provider(issuer, {
    jwks: { keys },
    enabledJWA: { clientAuthSigningAlgValues: ['RS256'] },
    clients: [
      {
        client_id: 'robot',
        client_secret: secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        // A service is asked for by its address, which says here by what algorithm it wants its tokens.
        getResourceServerInfo: (_, resource) => ({
          scope: '',
          audience: 'keyway',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: new URL(resource).pathname.slice(1) } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  const asked = algorithms.map((alg) => ({ resource: `https://keyway.example.com/${alg}` }));
  return { issuer, tokens: await tokensOf(issuer, asked), strangers: [] };
}

async function mockServer() {
  const mock = new OAuth2Server();
  for (const alg of algorithms) await mock.issuer.keys.generate(alg);
  await mock.start(0, '127.0.0.1');
  mock.issuer.url = `http://127.0.0.1:${mock.address().port}`;
  // Without a word from the test, its tokens are for nobody.
  const strangers = await tokensOf(mock.issuer.url, [{}]);
  mock.service.on('beforeTokenSigning', ({ payload }) =>
    Object.assign(payload, { aud: 'keyway', sub: 'robot' }),
  );
  return {
    issuer: mock.issuer.url,
    tokens: await tokensOf(
      mock.issuer.url,
      algorithms.map(() => ({})),
    ),
    strangers,
  };
}

console.warn = () => {};
console.info = () => {};
process.stdout.write(
  `${JSON.stringify({ 'oidc-provider': await oidcProvider(), 'oauth2-mock-server': await mockServer() })}\n`,
);
process.stdin.resume().on('end', () => process.exit());
