import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readKeyFile, writeKeyFile, exampleKey } from '../../src/keyring/key-file.js';
import {
  isGeneratedKey,
  mintAccessKey,
  mintPassword,
  mintRecoveryCode,
  mintToken,
  parseToken,
} from '../../src/keyring/token.js';
import { totpStep } from '../../src/keyring/totp.js';
import { Secret } from '../../src/secret.js';
import { canonicalUsername } from '../../src/inputs/rules.js';
import { expectAlways } from '../support/property.js';

const folder = mkdtempSync(join(tmpdir(), 'keyway-key-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const kind = fc.constantFrom('pat' as const, 'key' as const, 'svc' as const);
const prefix = fc.stringMatching(/^([A-Za-z][A-Za-z0-9_-]{0,30})?$/);

test('a token whose neighbours were swapped, or with a letter twice, left out or in the other case, is no token', () =>
  expectAlways(
    fc.property(kind, prefix, fc.nat(), (of, before, place) => {
      const text = mintToken(of, { prefix: before }).token.expose();
      const at = place % (text.length - 1);
      const [one = '', next = ''] = [text[at], text[at + 1]];
      const other = one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase();
      const edits = [next + one, one + one + next, next, other + next].map(
        (put) => text.slice(0, at) + put + text.slice(at + 2),
      );
      for (const edited of edits.filter((mistyped) => mistyped !== text))
        expect(parseToken(edited)).toBeUndefined();
      expect(parseToken(text)?.text.expose()).toBe(text);
    }),
    500,
  ));

test('an access key and its secret are of their alphabet and length, and neither is anybody’s user name', () =>
  expectAlways(
    fc.property(
      prefix,
      fc.constantFrom('BASE62' as const, 'HEX' as const, 'BASE64' as const),
      (before, format) => {
        const { accessKey, secret } = mintAccessKey({ prefix: before, format });
        const shapes = {
          BASE62: /^[0-9A-Za-z]{43}$/,
          HEX: /^[0-9a-f]{128}$/,
          BASE64: /^[0-9A-Za-z+/]{43}=$/,
        };
        expect([accessKey, secret.expose()].map((text) => text.slice(0, before.length))).toEqual([
          before,
          before,
        ]);
        expect(secret.expose().slice(before.length)).toMatch(shapes[format]);
        expect(isGeneratedKey(accessKey)).toBe(true);
        expect(canonicalUsername(accessKey) === accessKey && !/\d/.test(accessKey)).toBe(false);
        expect(mintAccessKey({ prefix: before, format, accessKey: 'kept' }).accessKey).toBe('kept');
      },
    ),
  ));

test('passwords and recovery codes are of the letters that people can tell apart', () => {
  for (let count = 0; count < 500; count++) {
    expect(mintPassword().expose()).toMatch(/^[2-9A-HJ-NP-Za-km-np-z]{32}$/);
    expect(mintRecoveryCode().expose()).toMatch(/^[A-Z2-7]{16}$/);
  }
});

/** RFC 6238 with the values that authenticator apps take, by itself. */
function codeAt(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const from = mac.readUInt8(19) & 15;
  return String((mac.readUInt32BE(from) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

test('S28: a code is of its own time step, the one before or the one after, and of no other', () =>
  expectAlways(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.integer({ min: 10, max: 2 ** 31 }),
      fc.integer({ min: -4, max: 4 }),
      fc.nat(29_999),
      (bytes, step, off, ms) => {
        const secret = Buffer.from(bytes);
        const code = codeAt(secret, step + off);
        const near = [step - 1, step, step + 1].filter((one) => codeAt(secret, one) === code);
        expect(totpStep(Secret.of(Buffer.from(secret)), code, step * 30_000 + ms)).toBe(near.at(-1));
        if (Math.abs(off) <= 1) expect(near.at(-1)).toBeGreaterThanOrEqual(step + off);
      },
    ),
    300,
  ));

test('a key file is read as it was written, and what is wrong with one is told without its keys', () => {
  const bytes = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .filter((key) => key.some((byte) => byte !== 0));
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 999_999_999 }), { minLength: 1, maxLength: 5 });
  let count = 0;
  expectAlways(
    fc.property(ids, bytes, fc.nat(), (numbers, first, which) => {
      const path = join(folder, `${count++}.json`);
      const keys = new Map(
        numbers.map((number, index) => [
          `k${number}`,
          Secret.of(Buffer.from(first.map((byte) => byte ^ ((index + 1) * 17)))),
        ]),
      );
      fc.pre(
        [...keys.values()].every(
          (key) =>
            key.exposeBytes().some((byte) => byte !== 0) &&
            key.exposeBytes().toString('base64') !== exampleKey,
        ),
      );
      const current = [...keys.keys()][which % keys.size] ?? '';
      writeKeyFile(path, { current, keys });
      const faults: string[] = [];
      const read = readKeyFile(path, (fault) => faults.push(fault));
      expect(faults).toEqual([]);
      expect(read?.current).toBe(current);
      expect([...(read?.keys ?? [])].map(([id, key]) => [id, key.exposeBytes().toString('hex')])).toEqual(
        [...keys]
          .sort(([one], [other]) => Number(one.slice(1)) - Number(other.slice(1)))
          .map(([id, key]) => [id, key.exposeBytes().toString('hex')]),
      );
    }),
    100,
  );
});
