import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { byBytes } from '../../src/audit/append-lines.js';
import { AuditOutcome, type AuditEvent } from '../../src/audit/audit-event.js';
import { isSigned, lineText, readLine, sealOf, type Checkpoint } from '../../src/audit/checkpoints/line.js';
import { canonicalEvent } from '../../src/audit/columns.js';
import { endingOf, endingText } from '../../src/audit/ending.js';
import { streamedEvent } from '../../src/audit/stream/streamed-event.js';
import { parseId } from '../../src/ids.js';
import type { KeyFile } from '../../src/keyring/key-file.js';
import { openKeyring } from '../../src/keyring/keyring.js';
import { Secret } from '../../src/secret.js';
import { anyText, expectAlways } from '../support/property.js';

const file = (): KeyFile => ({ current: 'k1', keys: new Map([['k1', Secret.of(randomBytes(32))]]) });
const keyring = openKeyring({ kek: file(), verifier: file(), pepper: file(), audit: file() });
const other = openKeyring({ kek: file(), verifier: file(), pepper: file(), audit: file() });

const orNull = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: null });
const text = fc.oneof(anyText, fc.constantFrom('', 'null', '[]', '","', '"],["', '\\"'));
const uuid = fc.uuid().map((one) => one.toLowerCase());
const time = fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }).map((date) =>
  date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '+00'),
);
const event: fc.Arbitrary<AuditEvent> = fc.record({
  id: uuid,
  accountId: uuid,
  number: fc.integer({ min: 1 }).map(String),
  epoch: fc.constantFrom('k1', 'k2'),
  at: time,
  actorId: orNull(uuid),
  actorCredentialId: orNull(uuid),
  action: text,
  outcome: fc.constantFrom(...Object.values(AuditOutcome)),
  code: orNull(text),
  targetType: orNull(fc.constantFrom('Credential' as const, 'Account' as const)),
  targetId: orNull(uuid),
  projectId: orNull(uuid),
  changed: fc.array(text, { maxLength: 3 }),
  times: fc.integer({ min: 1, max: 99 }),
  ip: orNull(text),
  requestId: text,
  recipientId: orNull(uuid),
  ended: orNull(text),
  hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
});
const columns = [
  'id',
  'accountId',
  'number',
  'epoch',
  'at',
  'actorId',
  'actorCredentialId',
  'action',
  'outcome',
  'code',
] as const;
const more = [
  'targetType',
  'targetId',
  'projectId',
  'changed',
  'times',
  'ip',
  'requestId',
  'recipientId',
  'ended',
] as const;

test('S61: two events that differ in anything but the link have different bytes, and equal ones the same', () =>
  expectAlways(
    fc.property(event, event, fc.constantFrom(...columns, ...more), (one, another, column) => {
      const edited = { ...one, [column]: another[column] };
      const isSame = JSON.stringify(one[column]) === JSON.stringify(another[column]);
      expect(canonicalEvent(one).equals(canonicalEvent(edited))).toBe(isSame);
      const linked: AuditEvent = { ...one, hash: another.hash };
      expect(canonicalEvent(linked).equals(canonicalEvent(one))).toBe(true);
    }),
    2_000,
  ));

test('S61: nor can what stands in one column be taken for what stands in the next', () =>
  expectAlways(
    fc.property(event, text, text, (one, first, second) => {
      const bytes = (code: string | null, ip: string | null, changed: string[]) =>
        canonicalEvent({ ...one, code, ip, changed }).toString();
      const all = [
        [first + second, null, []],
        [first, second, []],
        [null, first + second, []],
        [null, null, [first, second]],
        [null, null, [first + second]],
        [first, null, [second]],
      ] as const;
      const told = new Map(
        all.map(([code, ip, changed]) => [
          JSON.stringify([code, ip, changed]),
          bytes(code, ip, [...changed]),
        ]),
      );
      expect(new Set(told.values()).size).toBe(told.size);
    }),
    500,
  ));

test('S61: a link is of one number, one row and all before it', () => {
  const row = fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes));
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
  const link = fc.tuple(hash, row, fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }));
  expectAlways(
    fc.property(link, link, ([before, bytes, number], [otherBefore, otherBytes, otherNumber]) => {
      const is = keyring.auditLink('k1', before, bytes, number);
      for (const edited of [
        [otherBefore, bytes, number],
        [before, otherBytes, number],
        [before, bytes, otherNumber],
      ] as const) {
        const isSame = edited[0].equals(before) && edited[1].equals(bytes) && edited[2] === number;
        expect(keyring.auditLink('k1', ...edited).equals(is)).toBe(isSame);
      }
      expect(other.auditLink('k1', before, bytes, number).equals(is)).toBe(false);
    }),
  );
});

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const number = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }).map(String);
const ending = fc.record(
  {
    gone: fc.constantFrom('REVOKED' as const, 'DELETED' as const),
    enabled: fc.boolean(),
    allowedIps: fc.array(text, { maxLength: 2 }),
    secretsBefore: fc.nat(),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const kept = fc
  .tuple(fc.record({ number, at: time, type: text, id: text }), ending)
  .map(([place, what]) => ({ ...place, ...what }));
const checkpoint: fc.Arbitrary<Checkpoint> = fc
  .tuple(
    fc.record({ account: fc.uuid({ version: 7 }), number, hash: hex, at: time }),
    fc.record({ epoch: fc.constantFrom('k1', 'k22') }, { requiredKeys: [], noNullPrototype: true }),
    fc.oneof(fc.constant({}), fc.record({ from: number, ended: fc.array(kept, { maxLength: 2 }) })),
    fc.oneof(fc.constant({}), fc.record({ since: number, month: fc.constantFrom('2026-01', '2026-12') })),
  )
  .map((parts) => Object.assign({}, ...parts) as Checkpoint);

describe('S61: a line of checkpoints', () => {
  test('is read as it was written, and signed by these keys alone', () =>
    expectAlways(
      fc.property(checkpoint, (one) => {
        const line = lineText(keyring, one);
        expect(line).not.toContain('\n');
        const read = readLine(line);
        expect(read?.checkpoint).toEqual(one);
        expect(read && isSigned(keyring, read)).toBe(true);
        expect(read && isSigned(other, read)).toBe(false);
      }),
    ));

  test('with a character changed, left out or put in is no line, not signed, or says the same', () =>
    expectAlways(
      fc.property(
        checkpoint,
        fc.nat(),
        fc.constantFrom('', '0', 'a', '"', ',', '}', '1', ' '),
        fc.nat(1),
        (one, place, put, cut) => {
          const line = lineText(keyring, one);
          const at = place % line.length;
          const read = readLine(line.slice(0, at) + put + line.slice(at + cut));
          if (read && isSigned(keyring, read)) expect(meant(read.checkpoint)).toEqual(meant(one));
        },
      ),
      2_000,
    ));

  test('that says from where something ended, and not what, is none: it does not make the others unreadable', () => {
    const whole = JSON.stringify({
      ...{ account: '018f3c5e-0000-7000-8000-000000000001', number: '2', hash: '0'.repeat(64) },
      ...{ at: '2026-01-02 03:04:05+00', from: '1', ended: [], mac: '00' },
    });
    expect(readLine(whole)).toBeDefined();
    for (const damaged of [whole.replace('"ended"', '"endee"'), whole.replace('[]', 'null')])
      expect(readLine(damaged)).toBeUndefined();
  });

  test('cannot be put together of the parts of two', () =>
    expectAlways(
      fc.property(checkpoint, checkpoint, (one, another) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(another));
        const { mac } = JSON.parse(lineText(keyring, one)) as { mac: string };
        const read = readLine(JSON.stringify({ ...another, mac }));
        expect(read && isSigned(keyring, read)).toBe(false);
      }),
    ));

  test('is never read of what is none, and nothing makes reading fail', () =>
    expectAlways(
      fc.property(
        fc.oneof(
          anyText,
          fc.json(),
          checkpoint.map((one) => JSON.stringify({ ...one, mac: 'ff' })),
        ),
        (line) => {
          const read = readLine(line);
          if (read) expect(isSigned(keyring, read)).toBe(false);
        },
      ),
      500,
    ));

  test('the seal of a generation is of that generation, and of these keys', () =>
    expectAlways(
      fc.property(fc.nat(), fc.nat(), anyText, (one, another, junk) => {
        const seal = sealOf(keyring);
        expect(seal.fits(another, seal.of(one))).toBe(one === another);
        expect(sealOf(other).fits(one, seal.of(one))).toBe(false);
        expect(seal.fits(one, junk)).toBe(false);
      }),
    ));
});

/** What a checkpoint says: which members it has besides says nothing. */
function meant({
  account,
  number: at,
  hash,
  at: when,
  epoch,
  from,
  ended,
  since,
  month,
}: Checkpoint): unknown {
  return [account, at, hash, when, epoch, from, ended, since, month];
}

test('what ended is read as it was written', () =>
  expectAlways(fc.property(ending, (one) => expect(endingOf(endingText(one))).toEqual(one))));

test('lines are written in parts that together are the lines, no longer than asked but for a line that is', () =>
  expectAlways(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.integer({ min: 1, max: 60 }), (lines, most) => {
      const parts = [...byBytes(lines, most)];
      expect(parts.flat()).toEqual(lines);
      for (const part of parts) {
        const bytes = Buffer.byteLength(`${part.join('\n')}\n`);
        expect(part.length === 1 || bytes <= most).toBe(true);
      }
    }),
    500,
  ));

test('an event that is streamed is one line of JSON with all that its row has, and none of its UUIDs', () =>
  expectAlways(
    fc.property(event, (row) => {
      const streamed = streamedEvent(row);
      expect(streamed.text).not.toMatch(/[\n\r]/);
      const { data, ...envelope } = JSON.parse(streamed.text) as Record<string, unknown> & {
        data: Record<string, unknown>;
      };
      expect(envelope).toMatchObject({
        specversion: '1.0',
        id: `${row.number}-${Buffer.from(row.hash).toString('hex').slice(0, 16)}`,
      });
      expect(Date.parse(String(envelope['time']))).toBe(
        Date.parse(row.at.replace(' ', 'T').replace('+00', 'Z')),
      );
      const { action, outcome, code, changed, times, ip, requestId } = row;
      expect(data).toMatchObject({
        action,
        outcome,
        code,
        changed,
        times,
        ip,
        requestId,
        number: Number(row.number),
      });
      const uuidOf = (id: unknown) => (typeof id === 'string' ? parseId(id)?.uuid : null);
      expect(
        [data['account'], data['actor'], data['actorCredential'], data['project'], data['recipient']].map(
          uuidOf,
        ),
      ).toEqual([row.accountId, row.actorId, row.actorCredentialId, row.projectId, row.recipientId]);
      for (const id of [row.accountId, row.actorId, row.id])
        if (id !== null) expect(streamed.text).not.toContain(id);
    }),
  ));
