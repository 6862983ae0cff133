import {
  claimsAt,
  makeSigner,
  signed,
  startIssuer,
  trusting,
  type Signer,
  type TestIssuer,
} from '../../support/issuer.js';
import { makeAccount } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
let account: string;
const email = 'ada@example.com';
const serviceAccount = ['kubernetes.io', 'serviceaccount', 'uid'];

beforeAll(async () => {
  signer = await makeSigner();
  issuer = await startIssuer(signer);
  const named = (name: string, more: Record<string, unknown>) => issuer.settings({ issuer: name, ...more });
  server = await startTestServer(
    trusting(
      named('urn:oid', { claim: 'oid' }),
      named('urn:email', { claim: 'email' }),
      named('urn:any-email', { claim: 'email', unverifiedEmail: true }),
      named('urn:path', { claim: serviceAccount }),
      named('urn:require', {
        require: [
          { claim: 'repository_owner_id', is: '65' },
          { claim: ['a', 'groups'], is: ['ops', 'dev'] },
          { claim: 'level', is: [2, true] },
        ],
      }),
      named('urn:scope', { require: [{ claim: 'scope', is: 'keyway:call' }] }),
      named('urn:scp', { require: [{ claim: 'scp', is: 'keyway:call' }] }),
      named('urn:words', { require: [{ claim: ['a', 'scope'], is: 'keyway:call' }] }),
      named('urn:address', { require: [{ claim: 'email', is: email }] }),
      named('urn:any-address', { unverifiedEmail: true, require: [{ claim: 'email', is: email }] }),
    ),
  );
  account = await makeAccount(server, {
    identities: [
      { issuer: 'urn:oid', subject: 'object' },
      { issuer: 'urn:email', subject: email },
      { issuer: 'urn:any-email', subject: email },
      { issuer: 'urn:path', subject: 'uid' },
      { issuer: 'urn:require', subject: 'ada' },
      ...['urn:scope', 'urn:scp', 'urn:words'].map((name) => ({ issuer: name, subject: 'ada' })),
      { issuer: 'urn:address', subject: 'ada' },
      { issuer: 'urn:any-address', subject: 'ada' },
      // What another claim than the one that counts would have to be.
      { issuer: 'urn:oid', subject: 'ada' },
    ],
  });
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

async function taken(name: string, more: Record<string, unknown>): Promise<boolean> {
  const token = await signed(signer, { ...claimsAt(server.db.now(), name, 'ada'), ...more });
  const { data, code } = await server.ask('{ viewer { id } }', {}, { token });
  if (!data) expect(code).toBe('UNAUTHENTICATED');
  else expect(data.viewer.id).toBe(account);
  return Boolean(data);
}

const asked = {
  a: { groups: ['users', 'dev'] },
  repository_owner_id: '65',
  level: 2,
};

test.each<[boolean, string, string, Record<string, unknown>]>([
  [true, 'the claim that is configured', 'urn:oid', { oid: 'object' }],
  [true, 'it without sub', 'urn:oid', { oid: 'object', sub: undefined }],
  [false, 'sub in its place', 'urn:oid', {}],
  [false, 'it for nobody', 'urn:oid', { oid: 'nobody' }],
  [false, 'it as a list', 'urn:oid', { oid: ['object'] }],
  [false, 'it empty', 'urn:oid', { oid: '' }],
  [true, 'an address that is verified', 'urn:email', { email, email_verified: true }],
  [false, 'one that is not', 'urn:email', { email, email_verified: false }],
  [false, 'one of which nothing is said', 'urn:email', { email }],
  [false, 'one that is «true»', 'urn:email', { email, email_verified: 'true' }],
  [false, 'one in other letters', 'urn:email', { email: 'Ada@example.com', email_verified: true }],
  [true, 'an unverified one, where that will do', 'urn:any-email', { email, email_verified: false }],
  [true, 'a claim within others', 'urn:path', { 'kubernetes.io': { serviceaccount: { uid: 'uid' } } }],
  [false, 'a path that ends early', 'urn:path', { 'kubernetes.io': { serviceaccount: 'uid' } }],
  [false, 'a path through a list', 'urn:path', { 'kubernetes.io': [{ serviceaccount: { uid: 'uid' } }] }],
  [true, 'all that is required', 'urn:require', asked],
  [true, 'another value that will do', 'urn:require', { ...asked, level: true, a: { groups: 'ops' } }],
  [false, 'one value missing', 'urn:require', { ...asked, repository_owner_id: undefined }],
  [false, 'another value', 'urn:require', { ...asked, repository_owner_id: '66' }],
  [false, 'a value of another kind', 'urn:require', { ...asked, repository_owner_id: 65 }],
  [false, 'none of the list', 'urn:require', { ...asked, a: { groups: ['users'] } }],
  [false, 'an empty list', 'urn:require', { ...asked, a: { groups: [] } }],
  [true, 'a required scope', 'urn:scope', { scope: 'keyway:call' }],
  [true, 'a required scope among others', 'urn:scope', { scope: 'openid keyway:call email' }],
  [true, 'it in a list', 'urn:scope', { scope: ['openid', 'keyway:call'] }],
  [true, 'it as Entra has it', 'urn:scp', { scp: 'User.Read keyway:call' }],
  [false, 'a scope that begins so', 'urn:scope', { scope: 'keyway:call-not keyway:calls' }],
  [false, 'one in other letters', 'urn:scope', { scope: 'openid Keyway:call' }],
  [false, 'others', 'urn:scope', { scope: 'openid email' }],
  [false, 'none', 'urn:scope', { scope: '' }],
  [false, 'a word of a claim within others', 'urn:words', { a: { scope: 'openid keyway:call' } }],
  [true, 'a required address that is verified', 'urn:address', { email, email_verified: true }],
  [false, 'one that is not', 'urn:address', { email, email_verified: false }],
  [false, 'one of which nothing is said', 'urn:address', { email }],
  [true, 'an unverified required one, where that will do', 'urn:any-address', { email }],
  [false, 'the claim elsewhere', 'urn:require', { ...asked, a: {}, groups: ['dev'] }],
])('S16: taken is %s for %s', async (is, _, name, more) => {
  expect(await taken(name, more)).toBe(is);
});
