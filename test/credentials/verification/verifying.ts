import { expectData } from '../../support/make.js';
import type { Answer, AskOptions, Door } from '../../support/server.js';
import type { SignedRequest, SignatureScheme } from '../../../src/signatures/scheme.js';

type Input = Record<string, unknown>;

export interface Verdict {
  valid: boolean;
  code: string;
  credential: { id: string } | null;
}

const verdict = 'valid code credential { id }';
const one = `mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { ${verdict} } }`;
const many = `mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { ${verdict} } }`;

/** Asks whether what is presented is good; the administrator does, where nobody else is named. */
export const askWhether = (server: Door, input: Input, options?: AskOptions): Promise<Answer> =>
  server.ask(one, { input }, options);

/** Asks it of many at once. */
export const askOfAll = (server: Door, inputs: Input[], options?: AskOptions): Promise<Answer> =>
  server.ask(many, { inputs }, options);

export const verify = async (server: Door, input: Input, options?: AskOptions): Promise<Verdict> =>
  expectData(await askWhether(server, input, options)).verifyCredential;

export const verifyAll = async (server: Door, inputs: Input[], options?: AskOptions): Promise<Verdict[]> =>
  expectData(await askOfAll(server, inputs, options)).verifyCredentials;

/** The code alone. */
export const codeOf = async (server: Door, input: Input, options?: AskOptions): Promise<string> =>
  (await verify(server, input, options)).code;

export interface RouteAnswer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

/** Asks by the route beside the graph. */
export async function postVerify(
  server: Door,
  body: string | object,
  { token = server.adminToken, headers = {} }: AskOptions = {},
): Promise<RouteAnswer> {
  const response = await fetch(`${server.url}/v1/verify`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as unknown };
}

/** A signed request, as it is presented. */
export const requestProof = (
  scheme: `${SignatureScheme}`,
  { method, url, headers, body }: SignedRequest,
) => ({
  proof: { signedRequest: { scheme, method, url, headers, body: body?.toString() } },
});
