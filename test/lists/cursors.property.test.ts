import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { RequestContext } from '../../src/access/context.js';
import { openKeyring } from '../../src/keyring/keyring.js';
import type { KeyFile } from '../../src/keyring/key-file.js';
import { Connection, readPage, type Order, type Ordered } from '../../src/lists/paging.js';
import { Secret } from '../../src/secret.js';
import { anyText, expectAlways, withBitTurned } from '../support/property.js';

const file = (): KeyFile => ({ current: 'k1', keys: new Map([['k1', Secret.of(randomBytes(32))]]) });
const keyring = openKeyring({ kek: file(), verifier: file(), pepper: file(), audit: file() });
const ctx = { keyring } as unknown as RequestContext;
const orderBy = (name: string): Order => ({
  name,
  expression: 'x',
  type: 'text',
  id: 'id',
  direction: 'ASC',
});
const order = orderBy('things by NAME ASC');
const row = fc.record({ orderedBy: anyText, id: fc.uuid() });

function cursorOf(node: Ordered, by = order): string {
  const listed = { rows: [node], total: () => Promise.resolve(1) };
  return new Connection(ctx, by, readPage(ctx, by, {}), listed).edges[0]?.cursor ?? '';
}

/** What is said of a cursor: where it leads, or why it is refused. */
function placeOf(cursor: string, by = order) {
  try {
    return readPage(ctx, by, { first: 1, after: cursor }).from;
  } catch (error) {
    return error;
  }
}

const refused = {
  code: 'BAD_USER_INPUT',
  fields: [{ path: 'after', message: 'must be a cursor of this list, in this order' }],
};

test('a cursor leads to the row that it was written for, whatever text that is ordered by', () =>
  expectAlways(
    fc.property(row, (node) => {
      expect(placeOf(cursorOf(node))).toEqual({ value: node.orderedBy, id: node.id });
    }),
    500,
  ));

test('S34: a cursor with any bit turned, any byte cut off or added, or in another spelling, is refused', () =>
  expectAlways(
    fc.property(row, fc.nat(100_000), fc.uint8Array({ minLength: 1, maxLength: 4 }), (node, at, more) => {
      const cursor = cursorOf(node);
      const bytes = Buffer.from(cursor, 'base64url');
      const edits = [
        withBitTurned(bytes, at).toString('base64url'),
        bytes.subarray(0, at % bytes.length).toString('base64url'),
        Buffer.concat([bytes, more]).toString('base64url'),
        Buffer.concat([more, bytes]).toString('base64url'),
        `${cursor}=`,
        ` ${cursor}`,
        `${cursor}\n`,
        cursor.replace(/.$/, (last) => `${last}!`),
      ];
      for (const edited of edits.filter((one) => one !== '')) expect(placeOf(edited)).toMatchObject(refused);
    }),
    500,
  ));

test('S34: what nobody wrote is no cursor, and is not repeated', () =>
  expectAlways(
    fc.property(fc.oneof(anyText, fc.base64String(), fc.json()), (text) => {
      fc.pre(text !== '');
      const error = placeOf(text);
      expect(error).toMatchObject(refused);
      if (text.length > 8) expect(JSON.stringify(error)).not.toContain(text);
    }),
    500,
  ));

test('S34: a cursor of one order is none of another, however their names are put together', () =>
  expectAlways(
    fc.property(row, fc.string(), fc.string(), (node, one, other) => {
      fc.pre(one !== other);
      expect(placeOf(cursorOf(node, orderBy(one)), orderBy(other))).toMatchObject(refused);
    }),
  ));
