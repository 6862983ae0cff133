import { Agent, request } from 'node:http';

/** A caller of `POST /v1/verify`, over connections that stay open. End it with `close()`. */
export interface Verifier {
  /** The code of the verification, or of the error. */
  code(input: object): Promise<string>;
  close(): void;
}

/** @param token whose calls they are */
export function verifierAt(url: string, token: string, connections = 64): Verifier {
  const post = poster(connections);
  const headers = { authorization: `Bearer ${token}` };
  return {
    code: async (input) => {
      const { body } = await post.send(`${url}/v1/verify`, headers, JSON.stringify(input));
      const answer = JSON.parse(body) as { code?: string; errors?: { extensions: { code: string } }[] };
      return answer.code ?? answer.errors?.[0]?.extensions.code ?? '';
    },
    close: () => post.close(),
  };
}

/** Posts JSON with little work of its own, so that what is timed is the server's. */
export function poster(connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    send: (url: string, headers: Record<string, string>, body: string) =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        const sent = request(url, {
          method: 'POST',
          agent,
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        });
        sent.on('error', reject);
        sent.on('response', (response) => {
          let text = '';
          response.on('data', (part: Buffer) => (text += part.toString('utf8')));
          response.on('error', reject);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        });
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
