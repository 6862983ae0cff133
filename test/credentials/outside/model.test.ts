/**
 * @slow 25 s
 * @embedded the model has a database to itself
 */
import { History, openWorld, type World } from './model/history.js';

// What can go wrong between Keyway and a store, in any order: processes that die or stand still, refusals, answers that
// are lost, calls that are carried out late, and revocations in the middle of it. The same ones each time here; `SEED`
// lives through one again, and test/long/histories.long.ts through thousands that are others each time.

const asked = process.env['SEED'];
const first = Number(asked ?? 1);
const count = asked === undefined ? 200 : 1;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

test(`R7, R9, R10, R11: histories (${count} from seed ${first}) settle, and no secret lives that Keyway does not know`, async () => {
  for (let seed = first; seed < first + count; seed++) await new History(world, seed).run();
}, 300_000);
