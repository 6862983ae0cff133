/** @embedded the command line */
import { keyway } from '../support/command-line.js';
import { playGraph, type PlayedAnswer, type PlayedGraph } from '../support/played-graph.js';

let played: PlayedGraph | undefined;
afterEach(() => played?.stop());

const viewer: PlayedAnswer = { body: { data: { viewer: { id: 'acct_1', name: 'ada' } } } };
const later = (status: number, retryAfter: string): PlayedAnswer => ({
  status,
  headers: { 'retry-after': retryAfter },
  body: {
    errors: [
      { message: 'Later.', extensions: { code: status === 503 ? 'UNAVAILABLE' : 'RATE_LIMITED', id: 'r-1' } },
    ],
  },
});
const whoami = () => keyway(['whoami'], { url: played?.url, token: 'the-token' });

test('a query is asked again where the connection broke', async () => {
  played = await playGraph((_, number) => (number < 2 ? null : viewer));
  expect((await whoami()).code).toBe(0);
  expect(played.asked).toHaveLength(3);
});

test.each([503, 429])(
  'where the server answers %s and says when to come back, it is asked again',
  async (status) => {
    played = await playGraph((_, number) => (number === 0 ? later(status, '0') : viewer));
    expect((await whoami()).code).toBe(0);
    expect(played.asked).toHaveLength(2);
  },
);

test('a server that wants more patience than a minute is not waited for', async () => {
  played = await playGraph(() => later(429, '3600'));
  const { code, err } = await whoami();
  expect(code).toBe(7);
  expect(err).toContain('RATE_LIMITED: Later.');
  expect(err).toContain('request: r-1');
  expect(played.asked).toHaveLength(1);
});

test('a Keyway that never answers is told as one that cannot be reached', async () => {
  played = await playGraph(() => null);
  const { code, err } = await whoami();
  expect(code).toBe(7);
  expect(err).toContain('UNAVAILABLE: The Keyway cannot be reached');
  expect(played.asked).toHaveLength(4);
});

test('what is no Keyway is told as that, and what it says is not', async () => {
  played = await playGraph(() => ({ status: 200, body: '<html>secret-value</html>' }));
  const { code, err } = await whoami();
  expect(code).toBe(7);
  expect(err).toContain('No Keyway answers at this address (HTTP 200)');
  expect(err).not.toContain('secret-value');
});

test('a token follows no redirection to another address', async () => {
  const other = await playGraph(() => viewer);
  try {
    played = await playGraph(() => ({
      status: 307,
      headers: { location: `${other.url}/graphql` },
      body: '{}',
    }));
    expect((await whoami()).code).toBe(7);
    expect(other.asked).toEqual([]);
  } finally {
    await other.stop();
  }
});

test.each([
  ['UNAUTHENTICATED', 3],
  ['FORBIDDEN', 4],
  ['NOT_FOUND', 5],
  ['CONFLICT', 6],
  ['UNAVAILABLE', 7],
  ['OUTCOME_UNKNOWN', 8],
  ['INTERNAL_SERVER_ERROR', 1],
  ['A_CODE_OF_LATER', 1],
])('%s ends with exit code %d', async (code, exitCode) => {
  played = await playGraph(() => ({
    body: { data: null, errors: [{ message: 'No.', extensions: { code, id: 'r-2' } }] },
  }));
  const { code: ended, err, out } = await whoami();
  expect({ ended, out }).toEqual({ ended: exitCode, out: '' });
  expect(err).toContain(`${code}: No.`);
});

const make = () =>
  keyway(['account', 'create', 'ada', '--kind', 'person', '--title', 'Ada'], {
    url: played?.url,
    token: 'the-token',
  });

test.each<[string, PlayedAnswer, RegExp]>([
  [
    'what stands in front of Keyway has lost the answer',
    { status: 504, body: '<html>' },
    /It may have been done: repeat the command with --idempotency-key/,
  ],
  [
    'a part of the answer to a change is missing',
    {
      body: {
        data: { createAccount: { account: { id: 'acct_1', name: 'ada' } } },
        errors: [
          { message: 'The change was made; not this part.', extensions: { code: 'UNAVAILABLE', id: 'r-3' } },
        ],
      },
    },
    /It may have been done: repeat the command with --idempotency-key/,
  ],
  [
    'nothing was changed, as the server says',
    {
      status: 503,
      body: {
        errors: [{ message: 'Nothing was changed.', extensions: { code: 'UNAVAILABLE', id: 'r-3' } }],
      },
    },
    /Repeat the command later\./,
  ],
])('nobody is told that nothing was changed unless the server says so: %s', async (_, answer, advice) => {
  played = await playGraph(() => answer);
  const { code, err } = await make();
  expect(code).toBe(7);
  expect(err).toMatch(advice);
  expect(err.match(/nothing was changed/gi) ?? []).toHaveLength(
    JSON.stringify(answer).includes('Nothing') ? 1 : 0,
  );
});
