import { request as httpRequest } from 'node:http';
import { type SignedRequest, type SigningKey, SignatureScheme } from '../../src/signatures/scheme.js';
import { schemes } from '../../src/signatures/schemes.js';
import { Secret } from '../../src/secret.js';
import type { Made } from './make.js';
import type { Answer, SharedServer } from './server.js';

/** The schemes in which Keyway itself can be called. */
export const callingSchemes = [
  SignatureScheme.HTTP_MESSAGE_SIGNATURES,
  SignatureScheme.NCP_SIGNATURE_V2,
  SignatureScheme.VERACODE_HMAC_SHA_256,
] as const;

/** The pair of a credential, in the hands of its owner. */
export const keyOf = ({ accessKey, secret }: Pick<Made, 'accessKey' | 'secret'>): SigningKey => ({
  accessKey: String(accessKey),
  secret: Secret.of(String(secret)),
});

/** A request that nobody has signed yet; with a body it is a POST. */
export function unsigned(server: Pick<SharedServer, 'url'>, url: string, body?: unknown): SignedRequest {
  return {
    method: body === undefined ? 'GET' : 'POST',
    url,
    headers: [
      { name: 'Host', value: new URL(server.url).host },
      { name: 'Content-Type', value: 'application/json' },
    ],
    ...(body !== undefined && { body: Buffer.from(JSON.stringify(body)) }),
  };
}

/** A question to the graph, not signed yet. */
export const question = (
  server: Pick<SharedServer, 'url'>,
  query: string,
  variables: Record<string, unknown> = {},
): SignedRequest => unsigned(server, '/graphql', { query, variables });

/** The same question by GET. */
export const questionByGet = (server: Pick<SharedServer, 'url'>, query: string): SignedRequest =>
  unsigned(server, `/graphql?query=${encodeURIComponent(query)}`);

export type Reply = Omit<Answer, 'headers'>;

/**
 * Sends a request as it stands: its headers in their order, repeated ones too, and nothing added but the length.
 * @param chunked sends the body in pieces of 5 bytes, without its length.
 */
export async function send(
  server: Pick<SharedServer, 'url'>,
  { method, url, headers, body }: SignedRequest,
  chunked = false,
): Promise<Reply> {
  const { hostname, port } = new URL(server.url);
  const framing = chunked
    ? { name: 'Transfer-Encoding', value: 'chunked' }
    : { name: 'Content-Length', value: `${body?.length}` };
  const framed = body ? [...headers, framing] : headers;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: hostname,
        port,
        method,
        path: url,
        agent: false,
        headers: framed.flatMap(({ name, value }) => [name, value]),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve(replyOf(response.statusCode ?? 0, text)));
      },
    );
    outgoing.on('error', reject);
    if (chunked && body)
      for (let at = 0; at < body.length; at += 5) outgoing.write(body.subarray(at, at + 5));
    else if (body) outgoing.write(body);
    outgoing.end();
  });
}

function replyOf(status: number, text: string): Reply {
  const answer = (text.startsWith('{') ? JSON.parse(text) : {}) as Partial<Answer>;
  const { data = null, errors = [] } = answer;
  return { status, text, data: data as unknown, errors, code: errors[0]?.extensions.code };
}

/** The request as this key signs it now, by the clock of the database, or so many milliseconds from now. */
export const signedBy = (
  server: SharedServer,
  key: Pick<Made, 'accessKey' | 'secret'>,
  scheme: SignatureScheme,
  request: SignedRequest,
  fromNowMs = 0,
): SignedRequest =>
  schemes[scheme].sign(request, keyOf(key), { ms: Math.round(server.db.now()) + fromNowMs });

/** Asks the graph with a request that this key signed, by HTTP Message Signatures where nothing else is said. */
export const askSigned = (
  server: SharedServer,
  key: Pick<Made, 'accessKey' | 'secret'>,
  query: string,
  variables: Record<string, unknown> = {},
  scheme: SignatureScheme = SignatureScheme.HTTP_MESSAGE_SIGNATURES,
): Promise<Reply> => send(server, signedBy(server, key, scheme, question(server, query, variables)));

/** A signed request as it is presented to `verifyCredential`. */
export const presentation = (scheme: SignatureScheme, { method, url, headers, body }: SignedRequest) => ({
  proof: {
    signedRequest: {
      scheme,
      method,
      url,
      headers,
      ...(body && { body: body.toString('utf8') }),
    },
  },
});
