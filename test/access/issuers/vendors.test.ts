/**
 * @embedded tokens of issuers
 */
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
import { blocks, section } from '../../support/pages.js';
import { startTestServer, type TestServer } from '../../support/server.js';

type Claims = Record<string, unknown>;

/** What a vendor documents of its tokens, and which of them a page of ours lets in. */
interface Vendor {
  /** The heading on the page about issuers, and which of the issuers there. */
  section: string;
  index?: number;
  /** Where the vendor says what its tokens look like. */
  source: string;
  header: Claims;
  /** Those of a token, but for iss and its times. */
  claims: Claims;
  /** The identity of the account that calls. */
  identity: Claims;
  /** What differs in tokens that are not let in. */
  refused: Record<string, Claims>;
}

const tenant = 'aaaabbbb-0000-cccc-1111-dddd2222eeee';
const application = '00001111-aaaa-2222-bbbb-3333cccc4444';

const vendors: Record<string, Vendor> = {
  Keycloak: {
    section: 'Keycloak',
    source: 'https://www.keycloak.org/docs/latest/server_admin/#_oidc_token_types',
    header: { typ: 'JWT' },
    claims: {
      auth_time: 0,
      jti: 'onrtac:3b1d29c6-6a55-4a4d-9a0b-0f9a7f4f9a51',
      aud: ['keyway', 'account'],
      sub: '6f3c1f1e-5c5e-4d3a-9f0a-2b7f6f0c7f11',
      typ: 'Bearer',
      azp: 'deployer',
      sid: '3a9c8f5e-9d9c-4f44-b6a0-0b8d5f3f1c2d',
      acr: '1',
      realm_access: { roles: ['offline_access', 'uma_authorization', 'keyway'] },
      resource_access: { account: { roles: ['manage-account', 'view-profile'] } },
      scope: 'openid email profile',
      email_verified: true,
      preferred_username: 'ada',
      email: 'ada@example.com',
    },
    identity: { subject: '6f3c1f1e-5c5e-4d3a-9f0a-2b7f6f0c7f11' },
    refused: { 'for its own account console alone': { aud: 'account' } },
  },
  Auth0: {
    section: 'Auth0',
    source: 'https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles',
    header: { typ: 'at+jwt' },
    claims: {
      sub: 'auth0|5f7c8ec7c33c6c004bbafe82',
      aud: ['https://keyway.example.com', 'https://example.eu.auth0.com/userinfo'],
      azp: 'AIRoAPGWG0eQjLhJvsgRFHaZ0p3vJcCE',
      client_id: 'AIRoAPGWG0eQjLhJvsgRFHaZ0p3vJcCE',
      jti: 'URdaJKNZtNRwvmZL5Bqxq5',
      scope: 'openid profile email',
    },
    identity: { subject: 'auth0|5f7c8ec7c33c6c004bbafe82' },
    refused: { 'for the user information alone': { aud: 'https://example.eu.auth0.com/userinfo' } },
  },
  'Auth0, of an application': {
    section: 'Auth0',
    source:
      'https://auth0.com/docs/get-started/authentication-and-authorization-flow/client-credentials-flow',
    header: { typ: 'JWT' },
    claims: {
      sub: 'AIRoAPGWG0eQjLhJvsgRFHaZ0p3vJcCE@clients',
      aud: 'https://keyway.example.com',
      azp: 'AIRoAPGWG0eQjLhJvsgRFHaZ0p3vJcCE',
      gty: 'client-credentials',
    },
    identity: { subject: 'AIRoAPGWG0eQjLhJvsgRFHaZ0p3vJcCE@clients' },
    refused: { 'for another application': { sub: 'BIRoAPGWG0eQjLhJvsgRFHaZ0p3vJcCE@clients' } },
  },
  Okta: {
    section: 'Okta',
    source: 'https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/#access-token',
    header: {},
    claims: {
      ver: 1,
      jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
      aud: 'api://default',
      cid: 'nmdP1fcyvdVO11AL7ECm',
      uid: '00ujmkLgagxeRrAg20g3',
      scp: ['openid', 'email'],
      auth_time: 1_467_145_094,
      sub: 'ada@example.com',
    },
    identity: { subject: '00ujmkLgagxeRrAg20g3' },
    refused: {
      'for somebody else of the same name': { uid: '00ujmkLgagxeRrAg20g4' },
      'for a service app': { uid: undefined, sub: 'nmdP1fcyvdVO11AL7ECm' },
    },
  },
  'Entra, version 2': {
    section: 'Microsoft Entra',
    source: 'https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference',
    header: { typ: 'JWT' },
    claims: {
      aud: application,
      aio: 'AXQAi/8IAAAA',
      azp: '11112222-bbbb-3333-cccc-4444dddd5555',
      azpacr: '0',
      name: 'Ada',
      oid: 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb',
      preferred_username: 'ada@example.com',
      rh: '0.AAAA',
      scp: 'user_impersonation',
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      tid: tenant,
      uti: 'fqiBqXLPj0eQa82S-IYFAA',
      ver: '2.0',
    },
    identity: { subject: 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb' },
    refused: {
      'for somebody else with the same address': { oid: 'bbbbbbbb-0000-1111-2222-bbbbbbbbbbbb' },
      'for Microsoft Graph': { aud: '00000003-0000-0000-c000-000000000000' },
    },
  },
  'Entra, version 1': {
    section: 'Microsoft Entra',
    index: 1,
    source: 'https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference',
    header: { typ: 'JWT', x5t: 'i6lGk3FZzxRcUb2C3nEQ7syHJlY' },
    claims: {
      aud: `api://${application}`,
      appid: '11112222-bbbb-3333-cccc-4444dddd5555',
      appidacr: '1',
      idp: `https://sts.windows.net/${tenant}/`,
      oid: 'cccccccc-0000-1111-2222-bbbbbbbbbbbb',
      roles: ['Keyway.Call'],
      sub: 'cccccccc-0000-1111-2222-bbbbbbbbbbbb',
      tid: tenant,
      ver: '1.0',
    },
    identity: { subject: 'cccccccc-0000-1111-2222-bbbbbbbbbbbb' },
    refused: { 'for another application': { aud: `api://${tenant}` } },
  },
  Google: {
    section: 'Google',
    source: 'https://docs.cloud.google.com/docs/authentication/token-types#id-payload',
    header: { typ: 'JWT' },
    claims: {
      aud: 'https://keyway.example.com',
      azp: '112010400000000710080',
      email: 'builder@example.iam.gserviceaccount.com',
      email_verified: true,
      sub: '112010400000000710080',
    },
    identity: { subject: '112010400000000710080' },
    refused: { 'for somebody else’s service': { aud: '32555940559.apps.googleusercontent.com' } },
  },
  'GitHub Actions': {
    section: 'GitHub Actions',
    source: 'https://docs.github.com/actions/reference/openid-connect-reference',
    header: { typ: 'JWT', x5t: 'example-thumbprint' },
    claims: githubClaims('repo:acme/app:ref:refs/heads/main'),
    identity: { subject: 'repo:acme/*:ref:refs/heads/main', pattern: true },
    refused: {
      'for a pull request': { sub: 'repo:acme/app:pull_request' },
      'for another branch': { sub: 'repo:acme/app:ref:refs/heads/other' },
      'for another organization': { sub: 'repo:acme-2/app:ref:refs/heads/main', repository_owner_id: '7' },
      'for another that got the name': { repository_owner_id: '7' },
    },
  },
  'GitHub Actions, with immutable subjects': {
    section: 'GitHub Actions',
    source: 'https://learn.microsoft.com/entra/workload-id/workload-identities-github-immutable-subjects',
    header: { typ: 'JWT', x5t: 'example-thumbprint' },
    claims: githubClaims('repo:acme@123456/app@456789:ref:refs/heads/main'),
    identity: { subject: 'repo:acme@123456/*:ref:refs/heads/main', pattern: true },
    refused: { 'for another of the name': { sub: 'repo:acme@7/app@456789:ref:refs/heads/main' } },
  },
  Kubernetes: {
    section: 'Kubernetes',
    source:
      'https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens',
    header: {},
    claims: {
      aud: ['keyway'],
      jti: 'aed34954-b33a-4142-b1ec-389d6bbb4936',
      'kubernetes.io': {
        namespace: 'ci',
        node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
        pod: { name: 'runner-0', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
        serviceaccount: { name: 'runner', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
      },
      sub: 'system:serviceaccount:ci:runner',
    },
    identity: { subject: 'system:serviceaccount:ci:*', pattern: true },
    refused: {
      'for the cluster itself': { aud: ['https://kubernetes.default.svc.cluster.local'] },
      'for another namespace': { sub: 'system:serviceaccount:ci-2:runner' },
    },
  },
};

function githubClaims(sub: string): Claims {
  return {
    jti: 'example-id',
    sub,
    environment: undefined,
    aud: 'keyway',
    ref: 'refs/heads/main',
    sha: 'example-sha',
    repository: 'acme/app',
    repository_owner: 'acme',
    actor_id: '12',
    repository_visibility: 'private',
    repository_id: '456789',
    repository_owner_id: '123456',
    run_id: 'example-run-id',
    run_number: '10',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    actor: 'octocat',
    workflow: 'example-workflow',
    head_ref: '',
    base_ref: '',
    event_name: 'push',
    ref_type: 'branch',
    job_workflow_ref: 'acme/automation/.github/workflows/oidc.yml@refs/heads/main',
  };
}

const configured = ({ section: title, index = 0 }: Vendor) => {
  const [list = ''] = blocks('json', section('docs/issuers.md', title));
  const found = (JSON.parse(list) as Claims[])[index];
  if (!found) throw new Error(`${title} has no such issuer`);
  return found;
};

let server: TestServer;
let issuer: TestIssuer;
let signer: Signer;
const accounts = new Map<string, string>();

beforeAll(async () => {
  signer = await makeSigner('RS256');
  issuer = await startIssuer(signer);
  // What most vendors publish does not say the algorithm of a key.
  issuer.keys = [{ ...signer.jwk, alg: undefined }];
  const settings = new Map(
    Object.values(vendors).map((vendor) => {
      // Only where the keys are is of this test: those of the vendors are not to be had here.
      const here = { jwks: issuer.jwks, bearerFile: undefined, certificateAuthorityFile: undefined };
      return [configured(vendor)['issuer'], { ...configured(vendor), ...here }];
    }),
  );
  server = await startTestServer(trusting(...settings.values()));
  for (const [name, vendor] of Object.entries(vendors))
    accounts.set(
      name,
      await makeAccount(server, {
        identities: [{ issuer: configured(vendor)['issuer'], ...vendor.identity }],
      }),
    );
});
afterAll(async () => {
  await server.stop();
  await issuer.stop();
});

describe.each(Object.entries(vendors))('%s', (name, vendor) => {
  const callerOf = async (more: Claims) => {
    const times = claimsAt(server.db.now(), String(configured(vendor)['issuer']), '');
    // Most date their tokens back by some minutes, for clocks that are slow.
    const dated = { ...times, nbf: Number(times['iat']) - 300, ...vendor.claims, ...more };
    const token = await signed(signer, dated, vendor.header);
    const { data, code } = await server.ask('{ viewer { id } }', {}, { token });
    return (data?.viewer.id as string | undefined) ?? code;
  };

  test('calls with what is on the page', async () => {
    expect(await callerOf({})).toBe(accounts.get(name));
  });

  test.each(Object.entries(vendor.refused))('does not with a token %s', async (_, more) => {
    expect(await callerOf(more)).toBe('UNAUTHENTICATED');
  });
});
