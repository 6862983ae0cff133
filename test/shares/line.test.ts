import { FairLine } from '../../src/shares/line.js';

/** A line with these, each for whom its letters name: `ab2` is the second of account b of tenant a. */
function lined(...items: string[]): FairLine<string> {
  const line = new FairLine<string>();
  for (const item of items) line.add([item.charAt(0), item.charAt(1)], item);
  return line;
}

function all(take: () => string | undefined): string[] {
  const taken: string[] = [];
  for (let item = take(); item !== undefined; item = take()) taken.push(item);
  return taken;
}

test('the tenants are served in turn, and within the turn of one its accounts, each in its order', () => {
  const line = lined('aa1', 'aa2', 'aa3', 'ab1', 'ac1', 'ba1', 'ba2');
  expect(line.size).toBe(7);
  expect(all(() => line.next())).toEqual(['aa1', 'ba1', 'ab1', 'ba2', 'ac1', 'aa2', 'aa3']);
  expect(line.size).toBe(0);
});

test('what is for an account as a whole, and what it tells for whom it is, have turns of their own', () => {
  const line = new FairLine<string>();
  for (const item of ['o1', 'o2', 'o3']) line.add(['t', 'a'], item);
  for (const item of ['x1', 'x2', 'y1']) line.add(['t', 'a', item.charAt(0)], item);
  expect(all(() => line.next())).toEqual(['o1', 'x1', 'o2', 'y1', 'o3', 'x2']);
});

test('who comes later is behind one of each other', () => {
  const line = lined('aa1', 'aa2', 'aa3', 'ba1', 'ba2');
  expect(line.next()).toBe('aa1');
  line.add(['c', 'a'], 'ca1');
  expect(all(() => line.next())).toEqual(['ba1', 'aa2', 'ca1', 'ba2', 'aa3']);
});

test('what makes room is the last of the account that has most, of the tenant that has most', () => {
  const line = lined('ba1', 'ba2', 'aa1', 'ab1', 'ab2', 'ca1');
  expect([line.drop(), line.drop(), line.drop()]).toEqual(['ab2', 'ba2', 'aa1']);
  expect(line.size).toBe(3);
  expect(all(() => line.drop()).length).toBe(3);
  expect(line.next()).toBeUndefined();
});

test('what waits no more is taken out, and holds up nobody', () => {
  const line = lined('aa1', 'aa2', 'ab1', 'ba1');
  expect(line.remove(['b', 'a'], 'ba1')).toBe(true);
  expect(line.remove(['b', 'a'], 'ba1')).toBe(false);
  expect(line.remove(['a', 'a'], 'aa1')).toBe(true);
  expect(line.size).toBe(2);
  expect(all(() => line.next())).toEqual(['aa2', 'ab1']);
});
