/**
 * @embedded what comes in by HTTP
 */
import { connect } from 'node:net';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
beforeAll(async () => void (server = await sharedServer()));

/** Sends these bytes, and reads all that comes back. */
function send(bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('close', () => resolve(Buffer.concat(parts).toString()));
    socket.on('error', reject);
  });
}

const closing = 'host: x\r\nconnection: close\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${closing}\r\n`;

describe('S9: what is refused before there is a request has our shape, an id, and echoes nothing', () => {
  test.each<[string, string, number, string]>([
    ['a byte that is no UTF-8', get('/%E4?token=MARKER'), 400, 'BAD_REQUEST'],
    ['the same at the graph', get('/graphql/%E4%ZZ?token=MARKER'), 400, 'BAD_REQUEST'],
    ['a percent sign alone', get('/MARKER%'), 400, 'BAD_REQUEST'],
    ['no hexadecimal digits', get('/%MA/RKER'), 400, 'BAD_REQUEST'],
    ['a byte that is not encoded', get('/graphql?query=MARKER\xe4'), 400, 'BAD_REQUEST'],
    ['an address that is a text', get('MARKER'), 400, 'BAD_REQUEST'],
    ['no request at all', 'MARKER\r\n\r\n', 400, 'BAD_REQUEST'],
    ['another protocol', `GET /MARKER HTTP/9.9\r\n${closing}\r\n`, 400, 'BAD_REQUEST'],
    ['a header without a name', `GET /MARKER HTTP/1.1\r\n${closing}: MARKER\r\n\r\n`, 400, 'BAD_REQUEST'],
    [
      'a header with a line end',
      `GET /MARKER HTTP/1.1\r\n${closing}a: MARKER\rb\r\n\r\n`,
      400,
      'BAD_REQUEST',
    ],
    ['no host', 'GET /graphql?MARKER HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'two lengths',
      `POST /graphql HTTP/1.1\r\n${closing}content-length: 6\r\ncontent-length: 7\r\n\r\nMARKER`,
      400,
      'BAD_REQUEST',
    ],
    [
      'a length and chunks',
      `POST /graphql HTTP/1.1\r\n${closing}content-length: 6\r\ntransfer-encoding: chunked\r\n\r\nMARKER`,
      400,
      'BAD_REQUEST',
    ],
    [
      'an expectation',
      `POST /graphql HTTP/1.1\r\n${closing}expect: MARKER\r\ncontent-length: 0\r\n\r\n`,
      417,
      'BAD_REQUEST',
    ],
    ['a request to a proxy', `CONNECT MARKER.example.com:443 HTTP/1.1\r\n${closing}\r\n`, 400, 'BAD_REQUEST'],
    [
      'too many headers',
      `GET /MARKER HTTP/1.1\r\n${closing}a: ${'MARKER'.repeat(11_000)}\r\n\r\n`,
      431,
      'LIMIT_EXCEEDED',
    ],
  ])('%s', async (_, bytes, status, code) => {
    const answer = await send(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/json/im);
    const { errors } = JSON.parse(body.replace(/^[0-9a-f]+\r\n/, '')) as {
      errors: { message: string; extensions: { code: string; id: string } }[];
    };
    expect(errors).toEqual([
      {
        message: expect.stringMatching(/^The .*\.$/) as string,
        extensions: { code, id: expect.any(String) as string },
      },
    ]);
    expect(head).toMatch(new RegExp(`^x-request-id: ${errors[0]?.extensions.id}\r?$`, 'im'));
    expect(answer).not.toMatch(/MARKER|%E4|%MA|FST_/);
  });
});
