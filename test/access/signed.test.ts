import { isTimely, signerOf, signsBy } from '../../src/access/signed.js';
import type { Keyring } from '../../src/keyring/keyring.js';
import { Secret } from '../../src/secret.js';
import { type Claim, SignatureScheme } from '../../src/signatures/scheme.js';

const now = 1_800_000_000_000;
const claim = (fromNowMs: number, endsInMs: number | null = null): Claim => ({
  accessKeys: [],
  signedAtMs: now + fromNowMs,
  endsAtMs: endsInMs === null ? null : now + endsInMs,
  nonce: Buffer.alloc(32),
  holds: () => true,
});

test.each([
  [0, true],
  [-300_000, true],
  [300_000, true],
  [-300_001, false],
  [300_001, false],
  [Infinity, false],
  [NaN, false],
])('S21: a request that was signed %s ms from now is in time: %s', (fromNowMs, timely) => {
  expect(isTimely(claim(fromNowMs), now)).toBe(timely);
});

test.each([
  [1, true],
  [0, false],
  [-1, false],
])('S19: a request that says it ends in %s ms is in time: %s', (endsInMs, timely) => {
  expect(isTimely(claim(-1000, endsInMs), now)).toBe(timely);
});

test.each(Object.values(SignatureScheme))(
  'S21: a key of %s signs by it alone, and one of none by each',
  (one) => {
    for (const scheme of Object.values(SignatureScheme)) {
      expect(signsBy({ signatureScheme: one }, scheme)).toBe(scheme === one);
      expect(signsBy({ signatureScheme: null }, scheme)).toBe(true);
    }
  },
);

describe('signerOf', () => {
  const version = (number: number | null, secret: string | null) => ({
    id: 'key',
    accountId: 'account',
    projectId: null,
    number,
    sealed: secret === null ? null : Buffer.from(secret),
  });

  /** Whose secret it was, and how many secrets were opened to tell; sealing leaves them as they are. */
  async function found(versions: ReturnType<typeof version>[]) {
    const opened: Secret[] = [];
    const keyring = {
      seal: async (secret: Secret) => ({ sealed: Buffer.from(secret.exposeBytes()), kekId: 'k' }),
      open: async (sealed: Buffer) => {
        const secret = Secret.of(Buffer.from(sealed));
        opened.push(secret);
        return secret;
      },
    } as unknown as Keyring;
    const right: Claim = { ...claim(0), holds: (secret) => secret.exposeBytes().toString() === 'right' };
    const number = (await signerOf(keyring, right, versions))?.number;
    // None of them stays in memory.
    for (const secret of opened) expect(new Set(secret.exposeBytes())).toEqual(new Set([0]));
    return { number, opened: opened.length };
  }

  test.each([
    ['nobody has', []],
    ['has lost its secret', [version(1, null)]],
    ['has no version left', [version(null, null)]],
    ['has another secret', [version(1, 'wrong')]],
    ['has another secret, and another before it', [version(2, 'wrong'), version(1, 'older')]],
    ['has another secret, and has lost the one before', [version(2, 'wrong'), version(1, null)]],
  ])('S25: opens two secrets for a key that %s', async (_, versions) => {
    expect(await found(versions)).toEqual({ number: undefined, opened: 2 });
  });

  test('is the version that was signed with, and opens no more than that takes', async () => {
    expect(await found([version(2, 'right'), version(1, 'older')])).toEqual({ number: 2, opened: 1 });
    expect(await found([version(2, 'wrong'), version(1, 'right')])).toEqual({ number: 1, opened: 2 });
  });
});
