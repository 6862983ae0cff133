import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Keyring } from '../../src/keyring/keyring.js';
import { parseToken } from '../../src/keyring/token.js';
import { Secret } from '../../src/secret.js';
import { openKeys } from '../../src/start/keys.js';
import { rotate } from '../credentials/verbs.js';
import { expectData, makeAccount, makeCredential, unique, type Made } from '../support/make.js';
import { sharedServer, type SharedServer } from '../support/server.js';

let server: SharedServer;
let keyring: Keyring;
beforeAll(async () => {
  server = await sharedServer();
  const opened = await openKeys(server.db, join(server.dataDir, 'keys'), {});
  if (!opened.keyring) throw new Error('the keys of the server were not opened');
  keyring = opened.keyring;
});

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A text with check digits that fit it. */
function checked(body: string): string {
  let [rest, check] = [crc32(body), ''];
  for (let index = 0; index < 6; index++) {
    check = alphabet.charAt(rest % 62) + check;
    rest = Math.floor(rest / 62);
  }
  return body + check;
}

const kinds = ['pat', 'key', 'svc'];
const prefixes = ['', 'acme-', 'acme', 'ACME-', 'kw_', 'other_'];

/** Every other spelling of a token that is a token by itself: the same id and secret, with check digits that fit. */
function otherSpellings(token: string): string[] {
  const rest = token.slice(-'_'.length - 16 - '_'.length - 43 - 6, -6);
  const all = prefixes.flatMap((prefix) => kinds.map((kind) => checked(`${prefix}kw_${kind}${rest}`)));
  expect(all).toContain(token);
  return all.filter((text) => text !== token);
}

/** What the caller's door and a verification say of a text. */
async function saidOf(text: string): Promise<[number, string]> {
  const called = await server.ask('{ viewer { id } }', {}, { token: text });
  const asked = await server.ask(
    'mutation ($secret: String!) { verifyCredential(input: { proof: { secret: $secret } }) { code } }',
    { secret: text },
  );
  return [called.status, expectData(asked).verifyCredential.code];
}
const taken = [200, 'VALID'];
const refused = [401, 'NOT_VALID'];

/** Keeps of a token what earlier versions kept: a verifier of its 43 characters alone. */
async function keepAsBefore({ accessKey, secret }: Made): Promise<void> {
  const part = parseToken(String(secret))?.secret ?? Secret.of('');
  const { verifier } = keyring.verifier(String(accessKey), part);
  await server.rows(
    `UPDATE credential_versions SET verifier = decode(:hex, 'hex') WHERE access_key = :accessKey AND state = 'CURRENT'
     RETURNING number`,
    { hex: verifier.toString('hex'), accessKey },
  );
}

const cases = [
  ['PERSON', 'pat', undefined],
  ['SERVICE', 'svc', 'acme-'],
  ['ORGANIZATION', 'key', 'kw_'],
] as const;

describe.each(cases)(
  'a token of the account of a %s, which is a %s with the prefix %j',
  (kind, _, prefix) => {
    const make = async () =>
      makeCredential(server, await makeAccount(server, { kind, name: unique('one-text') }), {
        secret: { token: { ...(prefix && { prefix }) } },
      });

    test.each([
      ['', async () => undefined],
      [', and was made by an earlier version', keepAsBefore],
    ])('S24: has one text%s', async (_, before) => {
      const made = await make();
      await before(made);
      const token = String(made.secret);
      expect(await saidOf(token)).toEqual(taken);
      for (const text of otherSpellings(token)) expect(await saidOf(text)).toEqual(refused);
      expect(await saidOf(token)).toEqual(taken);
    });
  },
);

test('a token in its grace period has the text that it had, with another prefix than the next one too', async () => {
  const account = await makeAccount(server, { kind: 'SERVICE' });
  for (const before of [async () => undefined, keepAsBefore]) {
    const made = await makeCredential(server, account, { secret: { token: { prefix: 'acme-' } } });
    await before(made);
    const input = { id: made.id, gracePeriod: 'PT1H', secret: { token: { prefix: 'other_' } } };
    const next = expectData(await rotate(server, input)).rotateCredential.issued.secret as string;
    expect(next.startsWith('other_kw_svc_')).toBe(true);
    expect(await saidOf(next)).toEqual(taken);
    expect(await saidOf(String(made.secret))).toEqual([200, 'VALID_PREVIOUS_SECRET']);
    for (const text of otherSpellings(next)) expect(await saidOf(text)).toEqual(refused);
  }
});
