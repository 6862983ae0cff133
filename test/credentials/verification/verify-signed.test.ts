/**
 * @slow 25 s
 */
import { jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { parseId } from '../../../src/ids.js';
import { Secret } from '../../../src/secret.js';
import { type SignedRequest, SignatureScheme } from '../../../src/signatures/scheme.js';
import { schemes } from '../../../src/signatures/schemes.js';
import { headerOf, request, withChange, withHeader } from '../../signatures/requests.js';
import { withProcessClockOff } from '../../support/clock.js';
import {
  expectData,
  makeAccount,
  makeCaller,
  makeCredential,
  makeProject,
  type Made,
} from '../../support/make.js';
import { startReplica, startTestServer, type TestServer } from '../../support/server.js';
import { statementsOf } from '../../support/statements.js';
import { read, revoke, rotate, update } from '../verbs.js';
import {
  askWhether,
  codeOf,
  postVerify,
  requestProof,
  verify,
  verifyAll,
  type Verdict,
} from './verifying.js';

let server: TestServer;
let account: string;
/** Who may verify what belongs to the account, and nothing else. */
let verifier: { id: string; token: string };
beforeAll(async () => {
  server = await startTestServer();
  account = await makeAccount(server);
  verifier = await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account });
});
afterAll(() => server.stop());

type Input = Record<string, unknown>;

const names = Object.values(SignatureScheme);
const { VERACODE_HMAC_SHA_256, NCP_SIGNATURE_V2, LANDSCAPE_HMAC_SHA_256, HTTP_MESSAGE_SIGNATURES } =
  SignatureScheme;

/** An answer without what is left to whom it is for, which is no part of the verdict. */
const alike = (text: string) => text.replace(/"rateLimit":\{[^}]*\}/, '');

const host = { Host: 'api.example.com' };
const json = { ...host, 'Content-Type': 'application/json' };
const form = { ...host, 'Content-Type': 'application/x-www-form-urlencoded' };

/** A request of each scheme, with something in all that it signs; and which parts those are. */
const signing: Record<SignatureScheme, { unsigned: SignedRequest; parts: string[] }> = {
  [VERACODE_HMAC_SHA_256]: {
    unsigned: request('GET', '/appsec/v1/applications?name=a%20b&size=5', host),
    parts: ['method', 'url', 'host', 'authorization'],
  },
  [NCP_SIGNATURE_V2]: {
    unsigned: request('POST', '/vserver/v2/getRegionList?responseFormatType=json', host),
    parts: [
      ...['method', 'url', 'x-ncp-apigw-timestamp', 'x-ncp-iam-access-key'],
      'x-ncp-apigw-signature-v2',
    ],
  },
  [LANDSCAPE_HMAC_SHA_256]: {
    unsigned: request('POST', '/api/?action=GetRoles', form, 'persons.1=a%40b&persons.2=%C3%A9'),
    parts: ['method', 'url', 'host', 'body'],
  },
  [HTTP_MESSAGE_SIGNATURES]: {
    unsigned: request('PUT', '/things/7?x=%2F&y=1', json, '{"a": 1}'),
    parts: [
      ...['method', 'url', 'host', 'body', 'content-type', 'content-digest'],
      ...['signature', 'signature-input'],
    ],
  },
};

/** A key that every scheme can sign with. */
const makeKey = (input: Input = {}): Promise<Made> =>
  makeCredential(server, account, { secret: { accessKey: { secretFormat: 'HEX' } }, ...input });

/** The scheme's request as the holder of the key sends it, by default now. */
function signed(
  scheme: SignatureScheme,
  { accessKey, secret }: Pick<Made, 'accessKey' | 'secret'>,
  {
    ms = server.db.now(),
    unsigned = signing[scheme].unsigned,
  }: { ms?: number; unsigned?: SignedRequest } = {},
): SignedRequest {
  const key = { accessKey: accessKey ?? '', secret: Secret.of(secret ?? '') };
  return schemes[scheme].sign(unsigned, key, { ms: Math.floor(ms) });
}

const notValid: Verdict = { valid: false, code: 'NOT_VALID', credential: null };
const valid = ({ id }: Made): Verdict => ({ valid: true, code: 'VALID', credential: { id } });
const verdictOn = (input: Input) => verify(server, input, verifier);
const codeOn = (input: Input) => codeOf(server, input, verifier);

/** Asks of any number, a hundred at a time. */
async function codesOn(inputs: Input[]): Promise<string[]> {
  const codes: string[] = [];
  for (let next = 0; next < inputs.length; next += 100)
    for (const { code } of await verifyAll(server, inputs.slice(next, next + 100), verifier))
      codes.push(code);
  return codes;
}

const set = ({ id }: Made, columns: string) =>
  server.rows(`UPDATE credentials SET ${columns} WHERE id = :id`, { id: parseId(id)?.uuid });

/** Time by the clock of the database, asked just now. */
async function databaseNow(): Promise<number> {
  const [row] = await server.rows<{ ms: string }>(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms',
  );
  return Number(row?.ms);
}

describe.each(names)('%s', (scheme) => {
  const present = (one: SignedRequest, more: Input = {}) => ({ ...requestProof(scheme, one), ...more });
  // One for each test: of two requests in one second, Landscape's scheme takes the second for the first.
  let key: Made;
  beforeEach(async () => {
    key = await makeKey();
  });

  test('S21: is valid once, and tells whose it is', async () => {
    const one = present(signed(scheme, key));
    expect(await verdictOn(one)).toEqual(valid(key));
    for (const again of [one, { ...one, accessKey: key.accessKey }])
      expect(await verdictOn(again)).toEqual(notValid);
    expect((await postVerify(server, one, verifier)).body).toEqual({
      valid: false,
      code: 'NOT_VALID',
      retryAfter: null,
      credential: null,
    });
  });

  test('S21: of twenty that are the same and come at once, exactly one is valid', async () => {
    const one = present(signed(scheme, key));
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        index % 2 ? codeOn(one) : ((await postVerify(server, one, verifier)).body.code as string),
      ),
    );
    expect(codes.sort()).toEqual([...Array<string>(19).fill('NOT_VALID'), 'VALID']);
  });

  test('S21: of two that are the same in one list, the first is valid', async () => {
    const [one, other] = [2_000, 3_000].map((ms) =>
      present(signed(scheme, key, { ms: server.db.now() - ms })),
    );
    expect(await codesOn([one ?? {}, other ?? {}, one ?? {}, other ?? {}])).toEqual([
      'VALID',
      'VALID',
      'NOT_VALID',
      'NOT_VALID',
    ]);
  });

  test('S21: with any one character of what is signed changed it is not valid, and none of that spends it', async () => {
    const whole = signed(scheme, key);
    const lengthOf = (part: string) =>
      part === 'method' || part === 'url'
        ? whole[part].length
        : part === 'body'
          ? (whole.body?.length ?? 0)
          : headerOf(whole, part).length;
    const inputs: Input[] = [];
    for (const part of signing[scheme].parts) {
      expect(lengthOf(part)).toBeGreaterThan(2);
      for (let at = 0; at < lengthOf(part); at++) {
        const [one, other] = ['7', 'Q'].map((to) => withChange(whole, part, { at, to, how: 'changed' }));
        const recased = withChange(whole, part, { at, to: '', how: 'recased' });
        for (const change of [one ?? other, recased]) if (change) inputs.push(present(change));
      }
    }
    expect(new Set(await codesOn(inputs))).toEqual(new Set(['NOT_VALID']));
    expect(inputs.length).toBeGreaterThan(100);
    expect(await verdictOn(present(whole))).toEqual(valid(key));
  });

  test('is valid beside any other header that HTTP allows, and so are the others of its list', async () => {
    const [one, other] = [1_000, 3_000].map((ms) => signed(scheme, key, { ms: server.db.now() - ms }));
    // As Node hands on bytes that are no ASCII.
    const name = Buffer.from('Café\u0080').toString('latin1');
    const odd = one && withHeader(one, 'X-Name', `${name}\u0085\u00ff`);
    expect(await codesOn([odd, other].map((each) => (each ? present(each) : {})))).toEqual([
      'VALID',
      'VALID',
    ]);
  });

  test('S21: with a second proof, a header twice or one missing it is not valid', async () => {
    const whole = signed(scheme, key);
    const odd = [
      ...(scheme === VERACODE_HMAC_SHA_256 ? [] : [withHeader(whole, 'Authorization', 'Bearer of-another')]),
      ...(scheme === HTTP_MESSAGE_SIGNATURES ? [] : [withHeader(whole, 'Signature', 'sig1=:AAAA:')]),
      ...whole.headers
        .filter(({ name }) => signing[scheme].parts.includes(name.toLowerCase()))
        .flatMap(({ name, value }) => [
          withHeader(whole, name, value),
          { ...whole, headers: whole.headers.filter((header) => header.name !== name) },
        ]),
    ];
    expect(new Set(await codesOn(odd.map((one) => present(one))))).toEqual(new Set(['NOT_VALID']));
    expect(await verdictOn(present(whole))).toEqual(valid(key));
  });

  test('S21: under the name of another scheme it is not valid', async () => {
    const whole = signed(scheme, key);
    for (const other of names.filter((name) => name !== scheme))
      expect(await verdictOn(requestProof(other, whole))).toEqual(notValid);
    expect(await verdictOn(present(whole))).toEqual(valid(key));
  });

  test('S21: a key that is bound to another scheme does not sign in this one', async () => {
    const keyFor = (name: SignatureScheme) =>
      makeKey({ secret: { accessKey: { secretFormat: 'HEX', scheme: name } } });
    const bound = await keyFor(scheme);
    expect(
      (await server.ask('query ($id: ID!) { credential(id: $id) { signatureScheme } }', bound as never)).data,
    ).toEqual({ credential: { signatureScheme: scheme } });
    expect(await verdictOn(present(signed(scheme, bound)))).toEqual(valid(bound));
    for (const other of names.filter((name) => name !== scheme)) {
      const bent = await keyFor(other);
      expect(await verdictOn(present(signed(scheme, bent)))).toEqual(notValid);
      // It is the scheme alone that does not fit.
      await set(bent, 'signature_scheme = NULL');
      expect(await verdictOn(present(signed(scheme, bent)))).toEqual(valid(bent));
    }
  });

  test('S21: is valid up to 300 s from the time it was signed at, both ways', async () => {
    // A whole second, which all schemes can write; the clock stands, so that the edge is where it is.
    const at = Math.floor(server.db.now() / 1000) * 1000;
    const clock = jest.spyOn(server.db, 'now').mockReturnValue(at);
    try {
      for (const [seconds, code] of [
        [-301, 'NOT_VALID'],
        [-300, 'VALID'],
        [-299, 'VALID'],
        [299, 'VALID'],
        [300, 'VALID'],
        [301, 'NOT_VALID'],
      ] as const)
        expect([seconds, await codeOn(present(signed(scheme, key, { ms: at + seconds * 1000 })))]).toEqual([
          seconds,
          code,
        ]);
    } finally {
      clock.mockRestore();
    }
  });

  test.each([-3_600_000, 3_600_000])(
    'R33: the time is that of the database, with the clock of the process off by %i ms',
    async (off) => {
      const made = await makeKey();
      try {
        await withProcessClockOff(off, async () => {
          await server.db.setClock();
          const now = await databaseNow();
          const codes = [];
          for (const seconds of [0, -280, 290, -310, 330])
            codes.push(await codeOn(present(signed(scheme, made, { ms: now + seconds * 1000 }))));
          expect(codes).toEqual(['VALID', 'VALID', 'VALID', 'NOT_VALID', 'NOT_VALID']);
          await set(made, `expires_at = now() + interval '30 minutes'`);
          expect(await codeOn(present(signed(scheme, made, { ms: now + 1_000 })))).toBe('VALID');
          await set(made, `expires_at = now() - interval '1 second'`);
          expect(await codeOn(present(signed(scheme, made, { ms: now + 2_000 })))).toBe('EXPIRED');
        });
      } finally {
        await server.db.setClock();
      }
    },
  );

  test('S24: of an unknown key, by a wrong secret and by one of an ended key it is answered alike', async () => {
    const [disabled, expired, revoked] = [
      await makeKey({ enabled: false }),
      await makeKey(),
      await makeKey(),
    ];
    await set(expired, 'expires_at = now()');
    await revoke(server, { id: revoked.id });
    const restricted = await makeKey({ allowedIps: ['192.0.2.1'] });
    const stranger = { accessKey: '0123456789abcdef'.repeat(2), secret: key.secret };
    const wrong = (made: Made) => present(signed(scheme, { ...made, secret: stranger.secret }));
    const right = await makeKey();
    const elsewhere = await makeCaller(server, ['CREDENTIAL_VERIFY'], {
      onAccount: await makeAccount(server),
    });
    const cases: [Input, string][] = [
      [wrong(disabled), verifier.token],
      [wrong(expired), verifier.token],
      [wrong(revoked), verifier.token],
      // What signatures are checked with is wiped with the revocation.
      [present(signed(scheme, revoked)), verifier.token],
      [{ ...wrong(restricted), ip: '192.0.2.2' }, verifier.token],
      [present(signed(scheme, right), { project: await makeProject(server, account) }), verifier.token],
      [present(signed(scheme, right), { accessKey: disabled.accessKey }), verifier.token],
      [present(signed(scheme, right)), elsewhere.token],
      [present(signed(scheme, disabled)), elsewhere.token],
    ];
    const { text } = await askWhether(server, present(signed(scheme, stranger)), verifier);
    expect(JSON.parse(text)).toEqual({
      data: { verifyCredential: notValid },
      extensions: expect.objectContaining({ cost: expect.any(Number) as number }) as unknown,
    });
    for (const [input, token] of cases)
      expect(alike((await askWhether(server, input, { token })).text)).toBe(alike(text));
  });

  test('S23: why it is not valid is told where the signature holds, and does not spend the request', async () => {
    const made = await makeKey({ allowedIps: ['192.0.2.1'] });
    const one = present(signed(scheme, made), { ip: '192.0.2.1' });
    const steps: [string, Input, () => Promise<unknown>][] = [
      ['IP_NOT_ALLOWED', { ip: '192.0.2.2' }, () => update(server, { id: made.id, enabled: false })],
      ['DISABLED', {}, () => update(server, { id: made.id, enabled: true })],
      ['ROLE_MISSING', { roles: ['KEYWAY_READER'] }, () => set(made, 'expires_at = now()')],
      ['EXPIRED', {}, () => set(made, 'expires_at = NULL')],
      ['VALID', {}, async () => undefined],
      ['NOT_VALID', {}, async () => undefined],
    ];
    for (const [code, more, then] of steps) {
      expect(await codeOn({ ...one, ...more })).toBe(code);
      await then();
    }
  });

  test('by the previous secret it is valid within the grace period, and told apart', async () => {
    const made = await makeKey();
    const { issued } = expectData(
      await rotate(server, { id: made.id, gracePeriod: 'PT1H' }),
    ).rotateCredential;
    const current = { ...made, secret: issued.secret };
    expect(await codeOn(present(signed(scheme, current)))).toBe('VALID');
    const previous = present(signed(scheme, made, { ms: server.db.now() - 1_000 }));
    expect(await codeOn(previous)).toBe('VALID_PREVIOUS_SECRET');
    expect(await codeOn(previous)).toBe('NOT_VALID');
    await rotate(server, { id: made.id });
    for (const old of [made, current])
      expect(await codeOn(present(signed(scheme, old, { ms: server.db.now() - 2_000 })))).toBe('NOT_VALID');
  });

  test('costs one statement more than a bare secret, for 1 and for 10', async () => {
    const keys = [];
    for (let count = 0; count < 10; count++) keys.push(await makeKey());
    const document =
      'mutation ($inputs: [VerifyCredentialInput!]!) { verifyCredentials(inputs: $inputs) { code } }';
    for (const size of [1, 10]) {
      const inputs = keys
        .slice(0, size)
        .map((one) => present(signed(scheme, one, { ms: server.db.now() - size * 1_000 })));
      for (const [code, wanted] of [
        ['VALID', 3],
        ['NOT_VALID', 3],
      ] as const) {
        const { result, statements } = await statementsOf(server, () =>
          server.ask(document, { inputs }, verifier),
        );
        expect(expectData(result).verifyCredentials).toEqual(inputs.map(() => ({ code })));
        expect(statements).toHaveLength(wanted);
      }
    }
  });
});

describe('S21: a request that was taken', () => {
  test('is not valid after a restart', async () => {
    const key = await makeKey();
    const inputs = names.map((scheme) => requestProof(scheme, signed(scheme, key)));
    expect(await codesOn(inputs)).toEqual(names.map(() => 'VALID'));
    await server.restart();
    expect(await codesOn(inputs)).toEqual(names.map(() => 'NOT_VALID'));
  });

  test('by another key is another one', async () => {
    // The same nonce: it is the nonce of the key.
    const nonce = Buffer.alloc(16, 7);
    const unsigned = signing[HTTP_MESSAGE_SIGNATURES].unsigned;
    for (let count = 0; count < 2; count++) {
      const made = await makeKey();
      const one = schemes[HTTP_MESSAGE_SIGNATURES].sign(
        unsigned,
        { accessKey: made.accessKey ?? '', secret: Secret.of(made.secret ?? '') },
        { ms: Math.floor(server.db.now()), nonce },
      );
      expect(await codeOn(requestProof(HTTP_MESSAGE_SIGNATURES, one))).toBe('VALID');
    }
  });

  test('takes its nonce with it: no other request with that one is valid', async () => {
    const key = await makeKey();
    const nonce = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
    const at = Math.floor(server.db.now());
    for (const scheme of [VERACODE_HMAC_SHA_256, HTTP_MESSAGE_SIGNATURES] as const) {
      const { unsigned } = signing[scheme];
      const secret = Secret.of(key.secret ?? '');
      const by = (one: SignedRequest, ms: number) =>
        requestProof(
          scheme,
          schemes[scheme].sign(one, { accessKey: key.accessKey ?? '', secret }, { ms, nonce }),
        );
      expect(await codeOn(by(unsigned, at))).toBe('VALID');
      expect(await codeOn(by(unsigned, at - 5_000))).toBe('NOT_VALID');
      expect(await codeOn(by({ ...unsigned, url: '/another' }, at))).toBe('NOT_VALID');
    }
  });

  test.each(['nonce', 'sig'])('is the same with its %s in capitals', async (part) => {
    const key = await makeKey();
    const one = signed(VERACODE_HMAC_SHA_256, key);
    const proof = headerOf(one, 'authorization');
    const capitals = proof.replace(new RegExp(`(?<=${part}=)[0-9a-f]+`), (text) => text.toUpperCase());
    expect(capitals).not.toBe(proof);
    const other = {
      ...one,
      headers: [...one.headers.slice(0, -1), { name: 'Authorization', value: capitals }],
    };
    expect(await codeOn(requestProof(VERACODE_HMAC_SHA_256, other))).toBe('VALID');
    expect(await codeOn(requestProof(VERACODE_HMAC_SHA_256, one))).toBe('NOT_VALID');
  });

  // The embedded database has one Keyway.
  if (process.env['TEST_DATABASE_URL']) {
    test('is valid on one replica alone, also at the same moment', async () => {
      const replica = await startReplica(server);
      try {
        const key = await makeKey();
        for (const scheme of names) {
          const one = requestProof(scheme, signed(scheme, key));
          const doors = Array.from({ length: 20 }, (_, index) => (index % 2 ? server : replica));
          const codes = await Promise.all(doors.map((door) => codeOf(door, one, verifier)));
          expect(codes.sort()).toEqual([...Array<string>(19).fill('NOT_VALID'), 'VALID']);
        }
      } finally {
        await replica.stop();
      }
    });

    test('R28: and a key that is disabled on one replica is so on the other at its next request', async () => {
      const replica = await startReplica(server);
      try {
        const key = await makeKey();
        const bare = { accessKey: key.accessKey, proof: { secret: key.secret } };
        const doors = [server, replica] as const;
        for (let round = 0; round < 50; round++) {
          const [here, there] = round % 2 ? doors : ([replica, server] as const);
          for (const enabled of [false, true]) {
            const document =
              'mutation ($id: ID!, $enabled: Boolean) { updateCredential(input: { id: $id, enabled: $enabled }) { credential { id } } }';
            expectData(await here.ask(document, { id: key.id, enabled }));
            expect(await codeOf(there, bare, verifier)).toBe(enabled ? 'VALID' : 'DISABLED');
          }
        }
      } finally {
        await replica.stop();
      }
    });
  }
});

describe('the body', () => {
  const { unsigned } = signing[HTTP_MESSAGE_SIGNATURES];

  test('S21: is held against its digest where it is told, and left to the asker where it is not', async () => {
    const key = await makeKey();
    const whole = signed(HTTP_MESSAGE_SIGNATURES, key);
    const bare = (body: string | undefined) =>
      requestProof(HTTP_MESSAGE_SIGNATURES, {
        ...whole,
        body: body === undefined ? undefined : Buffer.from(body),
      });
    for (const body of ['', '{"a": 2}', '{"a": 1} ', '{"a":1}'])
      expect(await codeOn(bare(body))).toBe('NOT_VALID');
    expect(await codeOn(bare(undefined))).toBe('VALID');
    const again = signed(HTTP_MESSAGE_SIGNATURES, key);
    expect(await codeOn(requestProof(HTTP_MESSAGE_SIGNATURES, again))).toBe('VALID');
  });

  test('S21: of a form must be told: Landscape signs what is in it', async () => {
    const key = await makeKey();
    const { body, ...rest } = signed(LANDSCAPE_HMAC_SHA_256, key);
    expect(await codeOn(requestProof(LANDSCAPE_HMAC_SHA_256, rest))).toBe('NOT_VALID');
    expect(await codeOn(requestProof(LANDSCAPE_HMAC_SHA_256, { ...rest, body }))).toBe('VALID');
  });

  test('of other text than ASCII is the one that was signed', async () => {
    const key = await makeKey();
    const one = signed(HTTP_MESSAGE_SIGNATURES, key, {
      unsigned: { ...unsigned, body: Buffer.from('{"ä": "😀\\n"}') },
    });
    expect(await codeOn(requestProof(HTTP_MESSAGE_SIGNATURES, one))).toBe('VALID');
  });
});

test('S21: an end that the signer set itself is kept to', async () => {
  const key = await makeKey();
  const at = Math.floor(server.db.now() / 1000);
  /** The request signed again by hand (RFC 9421, section 2.5), with an end. */
  const ending = (expires: number) => {
    const whole = signed(HTTP_MESSAGE_SIGNATURES, key);
    const parameters = `${headerOf(whole, 'signature-input').slice('sig1='.length)};expires=${expires}`;
    const base = [
      '"@method": PUT',
      '"@authority": api.example.com',
      '"@path": /things/7',
      '"@query": ?x=%2F&y=1',
      '"content-type": application/json',
      `"content-digest": ${headerOf(whole, 'content-digest')}`,
      `"@signature-params": ${parameters}`,
    ].join('\n');
    const mac = createHmac('sha256', key.secret ?? '')
      .update(base)
      .digest('base64');
    const headers = [
      ...whole.headers.filter(({ name }) => !/^signature/i.test(name)),
      { name: 'Signature-Input', value: `sig1=${parameters}` },
      { name: 'Signature', value: `sig1=:${mac}:` },
    ];
    return requestProof(HTTP_MESSAGE_SIGNATURES, { ...whole, headers });
  };
  expect(await codeOn(ending(at + 60))).toBe('VALID');
  expect(await codeOn(ending(at - 1))).toBe('NOT_VALID');
});

describe('a key with the prefix of a region', () => {
  const made = () =>
    makeKey({ secret: { accessKey: { prefix: 'vera01ei-', scheme: VERACODE_HMAC_SHA_256 } } });

  test('is of a form that Veracode’s signers take, and leave the prefix out of', async () => {
    const key = await made();
    expect(key.accessKey).toMatch(/^vera01ei-[0-9a-f]{32}$/);
    expect(key.secret).toMatch(/^vera01ei-[0-9a-f]{128}$/);
    const one = signed(VERACODE_HMAC_SHA_256, key);
    expect(headerOf(one, 'authorization')).toContain(`id=${key.accessKey?.slice(9)},`);
    expect(await verdictOn(requestProof(VERACODE_HMAC_SHA_256, one))).toEqual(valid(key));
    expect(await verdictOn(requestProof(VERACODE_HMAC_SHA_256, one))).toEqual(notValid);
  });

  test('is found beside the name that it is asked for under, in full alone', async () => {
    const key = await made();
    const one = () => requestProof(VERACODE_HMAC_SHA_256, signed(VERACODE_HMAC_SHA_256, key));
    expect(await codeOn({ ...one(), accessKey: key.accessKey })).toBe('VALID');
    for (const accessKey of [key.accessKey?.replace('ei', 'fi'), key.accessKey?.slice(0, -1)])
      expect(await codeOn({ ...one(), accessKey })).toBe('NOT_VALID');
  });

  test('is presented as a pair with both prefixes', async () => {
    const key = await made();
    const pair = { accessKey: key.accessKey, proof: { secret: key.secret } };
    expect(await codeOn(pair)).toBe('VALID');
    expect(await codeOn({ ...pair, proof: { secret: key.secret?.slice(9) } })).toBe('NOT_VALID');
  });
});

test('S21: tokens and passwords sign nothing, also where their secret can be had again', async () => {
  for (const secret of [{ token: {} }, { password: { username: 'signer-1' } }]) {
    const made = await makeKey({ secret, retrievable: true });
    for (const scheme of [NCP_SIGNATURE_V2, LANDSCAPE_HMAC_SHA_256, HTTP_MESSAGE_SIGNATURES])
      expect(await verdictOn(requestProof(scheme, signed(scheme, made)))).toEqual(notValid);
  }
});

test('the last use of a key that signed is noted', async () => {
  const key = await makeKey();
  expect(await codeOn(requestProof(NCP_SIGNATURE_V2, signed(NCP_SIGNATURE_V2, key)))).toBe('VALID');
  await server.restart();
  const { lastUsedAt, versions } = await read(server, key.id);
  expect(lastUsedAt).not.toBeNull();
  expect(versions).toMatchObject([{ number: 1, lastUsedAt }]);
});
