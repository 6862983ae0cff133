import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { hash } from '@node-rs/argon2';
import type { RecordPlace } from '../../src/keyring/envelope.js';
import { keyKinds, type KeyFiles } from '../../src/keyring/kek-file.js';
import { openKeyring } from '../../src/keyring/keyring.js';
import type { KeyFile } from '../../src/keyring/key-file.js';
import { Secret } from '../../src/secret.js';

const file = (current: string, ...ids: string[]): KeyFile => ({
  current,
  keys: new Map(ids.map((id) => [id, Secret.of(randomBytes(32))])),
});

const files: KeyFiles = {
  kek: file('k1', 'k1', 'k2'),
  verifier: file('k1', 'k1', 'k2'),
  pepper: file('k1', 'k1', 'k2'),
  audit: file('k10', 'k1', 'k2', 'k10'),
};
const ring = openKeyring(files);

/** The same keys, others current. */
const moved = (...kinds: (keyof KeyFiles)[]) =>
  openKeyring({
    ...files,
    ...Object.fromEntries(kinds.map((kind) => [kind, { ...files[kind], current: 'k2' }])),
  });

/** The same keys without k1. */
const without = (kind: keyof KeyFiles) =>
  openKeyring({
    ...files,
    [kind]: { current: 'k2', keys: new Map([...files[kind].keys].filter(([id]) => id !== 'k1')) },
  });

const bytesOf = (kind: keyof KeyFiles, id: string) =>
  files[kind].keys.get(id)?.exposeBytes() ?? Buffer.alloc(0);

const refused = expect.objectContaining({ code: 'INTERNAL_SERVER_ERROR' }) as Error;

const place: RecordPlace = {
  accountId: 'a',
  projectId: null,
  credentialId: 'c',
  version: 1,
  field: 'secret',
};

describe('sealing', () => {
  test('what is sealed opens in its place, and the KEK is named', async () => {
    const { sealed, kekId } = await ring.seal(Secret.of('s3cret'), place);
    expect(kekId).toBe(ring.currentKekId());
    expect((await ring.open(sealed, place)).expose()).toBe('s3cret');
    await expect(ring.open(sealed, { ...place, version: 2 })).rejects.toMatchObject({
      code: 'INTERNAL_SERVER_ERROR',
    });
  });

  test('S47: after a rewrap the old KEK is not needed', async () => {
    const { sealed } = await ring.seal(Secret.of('s3cret'), place);
    const { sealed: after, kekId } = await moved('kek').rewrap(sealed, place);
    expect(kekId).toBe('k2');
    expect((await without('kek').open(after, place)).expose()).toBe('s3cret');
  });

  test('S48: a missing KEK is UNAVAILABLE with its id in the cause, and no key in the error', async () => {
    const { sealed } = await ring.seal(Secret.of('s3cret'), place);
    expect(without('kek').hasKek('k1')).toBe(false);
    const error: unknown = await without('kek')
      .open(sealed, place)
      .catch((fault: unknown) => fault);
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: 'the KEK k1 is missing from kek.json' },
    });
    for (const id of ['k1', 'k2']) {
      for (const form of ['hex', 'base64'] as const) {
        expect(inspect(error, { depth: 9 })).not.toContain(bytesOf('kek', id).toString(form));
      }
    }
  });

  test('every wrap is told beforehand, and one that is refused seals nothing', async () => {
    const told: string[] = [];
    const counted = openKeyring(files, { onWrap: (id) => told.push(id) });
    const { sealed } = await counted.seal(Secret.of('s3cret'), place);
    await counted.open(sealed, place);
    await counted.rewrap(sealed, place);
    expect(told).toEqual(['k1']);
    const spent = openKeyring(files, {
      onWrap: () => {
        throw new Error('2^31 wraps');
      },
    });
    await expect(spent.seal(Secret.of('s3cret'), place)).rejects.toThrow('2^31 wraps');
  });
});

describe('keys by their ids', () => {
  test('ids are told oldest first', () => {
    expect(ring.kekIds()).toEqual(['k1', 'k2']);
    expect(ring.keyIds('audit')).toEqual(['k1', 'k2', 'k10']);
    expect(ring.auditEpochs()).toEqual(['k1', 'k2', 'k10']);
    expect([ring.currentKekId(), ring.currentAuditEpoch()]).toEqual(['k1', 'k10']);
    expect([ring.hasKek('k1'), ring.hasKek('k3')]).toEqual([true, false]);
  });

  test('a fingerprint tells one key from another, and is the same in every process that holds it', () => {
    const prints = keyKinds.flatMap((kind) => ring.keyIds(kind).map((id) => ring.fingerprint(kind, id)));
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(prints).size).toBe(prints.length);
    expect(openKeyring(files).fingerprint('kek', 'k2')).toBe(ring.fingerprint('kek', 'k2'));
    expect(() => ring.fingerprint('kek', 'k9')).toThrow(refused);
  });
});

describe('verifiers', () => {
  const secret = Secret.of('4f'.repeat(22));

  test('a verifier is the HMAC of label, lookup id behind its length, and secret', () => {
    const { verifier, keyId } = ring.verifier('AbCd', secret);
    const bytes = Buffer.concat([Buffer.from('keyway/tok/v1\x00\x04AbCd'), Buffer.from(secret.expose())]);
    expect(verifier).toEqual(createHmac('sha256', bytesOf('verifier', 'k1')).update(bytes).digest());
    expect(keyId).toBe('k1');
  });

  test('knows its secret, under its lookup id and its key, and no other', () => {
    const stored = ring.verifier('AbCd', secret);
    expect(ring.verifies('AbCd', secret, stored)).toBe(true);
    expect(moved('verifier').verifies('AbCd', secret, stored)).toBe(true);
    expect(ring.verifies('AbCe', secret, stored)).toBe(false);
    expect(ring.verifies('AbCd4', Secret.of(secret.expose().slice(1)), stored)).toBe(false);
    expect(ring.verifies('AbCd', Secret.of('other'), stored)).toBe(false);
    expect(ring.verifies('AbCd', secret, { ...stored, keyId: 'k2' })).toBe(false);
    expect(ring.verifies('AbCd', secret, { ...stored, keyId: 'k9' })).toBe(false);
    expect(without('verifier').verifies('AbCd', secret, stored)).toBe(false);
    for (const length of [0, 16, 31]) {
      expect(
        ring.verifies('AbCd', secret, { ...stored, verifier: stored.verifier.subarray(0, length) }),
      ).toBe(false);
    }
    expect(
      ring.verifies('AbCd', secret, { ...stored, verifier: Buffer.concat([stored.verifier, Buffer.of(0)]) }),
    ).toBe(false);
  });
});

describe('mac', () => {
  test('holds for its purpose and parts alone, however the same bytes are cut', () => {
    const tag = ring.mac('cursor', 'ab', Buffer.from('c'));
    expect(tag).toHaveLength(32);
    expect(ring.macMatches('cursor', tag, 'ab', 'c')).toBe(true);
    expect(ring.macMatches('cursors', tag, 'ab', 'c')).toBe(false);
    for (const parts of [
      ['a', 'bc'],
      ['abc'],
      ['abc', ''],
      ['ab', 'c', ''],
      ['', 'ab', 'c'],
      ['ab', 'd'],
      [],
    ]) {
      expect(ring.macMatches('cursor', tag, ...parts)).toBe(false);
    }
    expect(ring.macMatches('cursor', tag.subarray(0, 16), 'ab', 'c')).toBe(false);
    expect(ring.macMatches('cursor', Buffer.alloc(0), 'ab', 'c')).toBe(false);
  });

  test('takes tags of older keys while they are known', () => {
    const tag = ring.mac('cursor', 'a');
    expect(moved('verifier').mac('cursor', 'a')).not.toEqual(tag);
    expect(moved('verifier').macMatches('cursor', tag, 'a')).toBe(true);
    expect(without('verifier').macMatches('cursor', tag, 'a')).toBe(false);
  });
});

describe('while keys change', () => {
  const later = moved('verifier', 'kek', 'pepper');

  test('tags to look things up by are by every key, that of the current one first, and by the oldest', () => {
    const tags = later.macs('name', 'a');
    expect(tags.map(({ keyId }) => keyId)).toEqual(['k2', 'k1']);
    expect(tags.map(({ tag }) => tag)).toEqual([later.mac('name', 'a'), ring.mac('name', 'a')]);
    expect(later.macByOldest('name', 'a')).toEqual(ring.mac('name', 'a'));
    expect(without('verifier').macByOldest('name', 'a')).toEqual(later.mac('name', 'a'));
  });

  test('what is by an older key is stale, and what is by a newer one is not', async () => {
    expect([later.olderIds('kek'), ring.olderIds('kek')]).toEqual([['k1'], []]);
    expect([later.isStaleVerifier('k1'), ring.isStaleVerifier('k2')]).toEqual([true, false]);
    const password = Secret.of('correct horse battery');
    const stored = await later.hashPassword([], password);
    expect(stored.pepperId).toBe('k2');
    expect(await ring.passwordVerifies([], password, stored)).toEqual({ ok: true, stale: false });
  });

  test('with a current key that is retired nothing is made, and what was made with it is good', async () => {
    const closing: KeyFiles = { ...files, kek: { ...files.kek }, verifier: { ...files.verifier } };
    const closed = openKeyring(closing);
    const record = await closed.seal(Secret.of('s3cret'), place);
    const stored = closed.verifier('AbCd', Secret.of('token'));
    for (const one of [closing.kek, closing.verifier]) one.closed = true;
    await expect(closed.seal(Secret.of('s3cret'), place)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(() => closed.verifier('AbCd', Secret.of('token'))).toThrow();
    expect((await closed.open(record.sealed, place)).expose()).toBe('s3cret');
    expect(closed.verifies('AbCd', Secret.of('token'), stored)).toBe(true);
  });

  test('a KEK and a pepper that are not known are looked for at once', async () => {
    const lacking: KeyFiles = {
      ...files,
      kek: { current: 'k1', keys: new Map([...files.kek.keys].slice(0, 1)) },
      pepper: { current: 'k1', keys: new Map([...files.pepper.keys].slice(0, 1)) },
    };
    let looks = 0;
    const looking = openKeyring(lacking, {
      look: async () => {
        looks++;
        Object.assign(lacking.kek, { keys: files.kek.keys });
        Object.assign(lacking.pepper, { keys: files.pepper.keys });
      },
    });
    const record = await later.seal(Secret.of('s3cret'), place);
    expect((await looking.open(record.sealed, place)).expose()).toBe('s3cret');
    expect(looks).toBe(1);
    const password = Secret.of('correct horse battery');
    const stored = await later.hashPassword([], password);
    expect(await looking.passwordVerifies([], password, stored)).toEqual({ ok: true, stale: false });
  });
});

describe('audit links', () => {
  const previous = randomBytes(32);
  const row = Buffer.from('{"a":1}');

  test('a link is the HMAC of previous link, row and number under the key of its epoch', () => {
    const bytes = Buffer.concat([previous, row, Buffer.from('0000000000000007', 'hex')]);
    expect(ring.auditLink('k2', previous, row, 7n)).toEqual(
      createHmac('sha256', bytesOf('audit', 'k2')).update(bytes).digest(),
    );
  });

  test('S62: another epoch makes another link, and an unknown one none', () => {
    expect(ring.auditLink('k1', previous, row, 7n)).not.toEqual(ring.auditLink('k2', previous, row, 7n));
    expect(() => ring.auditLink('k9', previous, row, 7n)).toThrow(refused);
    expect(() => ring.auditLink('k1', previous.subarray(1), row, 7n)).toThrow(refused);
    expect(() => ring.auditLink('k1', previous, row, -1n)).toThrow();
  });
});

describe('passwords', () => {
  const password = Secret.of('correct horse battery');

  test('a hash is Argon2id with the least parameters, and knows its password alone', async () => {
    const stored = await ring.hashPassword([], password);
    expect(stored.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(stored.pepperId).toBe('k1');
    expect(await ring.passwordVerifies([], password, stored)).toEqual({ ok: true, stale: false });
    expect(await ring.passwordVerifies([], Secret.of('correct horse batterz'), stored)).toEqual({
      ok: false,
      stale: false,
    });
    expect((await ring.hashPassword([], password)).hash).not.toBe(stored.hash);
  });

  test('one text in two spellings of Unicode is one password', async () => {
    const stored = await ring.hashPassword([], Secret.of('contrase\u00f1a larga'));
    expect(await ring.passwordVerifies([], Secret.of('contrasen\u0303a larga'), stored)).toMatchObject({
      ok: true,
    });
  });

  test('nothing is cut off: the last byte of the longest password counts', async () => {
    const stored = await ring.hashPassword([], Secret.of('x'.repeat(1024)));
    expect((await ring.passwordVerifies([], Secret.of('x'.repeat(1024)), stored)).ok).toBe(true);
    expect((await ring.passwordVerifies([], Secret.of(`${'x'.repeat(1023)}y`), stored)).ok).toBe(false);
    expect((await ring.passwordVerifies([], Secret.of('x'.repeat(1023)), stored)).ok).toBe(false);
  });

  test('what lies before and after NUL counts', async () => {
    const stored = await ring.hashPassword([], Secret.of('abc\0defghijk'));
    expect((await ring.passwordVerifies([], Secret.of('abc\0defghijl'), stored)).ok).toBe(false);
  });

  test.each([
    ['11 bytes', 'x'.repeat(11)],
    ['1025 bytes', 'x'.repeat(1025)],
    ['1026 bytes in 513 characters', 'ñ'.repeat(513)],
    ['nothing', ''],
  ])('refuses %s, without repeating it', async (_, text) => {
    const error: unknown = await ring.hashPassword([], Secret.of(text)).catch((fault: unknown) => fault);
    expect(error).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ path: 'password', message: 'must be 12 to 1024 bytes long' }],
    });
    const stored = await ring.hashPassword([], password);
    expect(await ring.passwordVerifies([], Secret.of(text), stored)).toEqual({ ok: false, stale: false });
  });

  test('takes exactly 12 bytes', async () => {
    const stored = await ring.hashPassword([], Secret.of('ñ'.repeat(6)));
    expect((await ring.passwordVerifies([], Secret.of('ñ'.repeat(6)), stored)).ok).toBe(true);
  });

  test('is stale under an older pepper or other parameters, and false under an unknown pepper', async () => {
    const stored = await ring.hashPassword([], password);
    expect(await moved('pepper').passwordVerifies([], password, stored)).toEqual({ ok: true, stale: true });
    expect(await without('pepper').passwordVerifies([], password, stored)).toEqual({
      ok: false,
      stale: false,
    });
    const input = createHmac('sha256', bytesOf('pepper', 'k1')).update(password.expose()).digest();
    const cheap = await hash(input, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    expect(await ring.passwordVerifies([], password, { hash: cheap, pepperId: 'k1' })).toEqual({
      ok: true,
      stale: true,
    });
  });

  test('a stored hash that is none knows no password', async () => {
    const { hash: right } = await ring.hashPassword([], password);
    for (const broken of [
      '',
      'x',
      '$argon2id$v=19$m=19456,t=2,p=1$',
      password.expose(),
      ` ${right}`,
      `${right}\n`,
      right.slice(0, -1),
      right.replace('argon2id', 'argon2i'),
      right.replace('v=19', 'v=16'),
      right.replace('p=1', 'p=0'),
      right.replace('m=19456', 'm=4'),
      right.replace('m=19456', 'm=4294967295'),
    ]) {
      const stored = { hash: broken, pepperId: 'k1' };
      expect(await ring.passwordVerifies([], password, stored)).toEqual({ ok: false, stale: false });
    }
  });

  test('R23: while passwords are hashed the event loop goes on', async () => {
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const started = performance.now();
    await Promise.all(Array.from({ length: 48 }, () => ring.hashPassword([], password)));
    clearInterval(watch);
    expect(longest).toBeLessThan((performance.now() - started) / 2);
  });
});
