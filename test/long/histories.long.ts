import { History, openWorld, type World } from '../credentials/outside/model/history.js';

/** How many histories are lived through; `HISTORIES` says otherwise. So many take some eight minutes. */
const count = Number(process.env['HISTORIES'] ?? 4_000);
const first = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

test(
  `R7, R9, R10, R11: histories (${count} from seed ${first}) settle, and no secret lives that Keyway does not know`,
  async () => {
    for (let seed = first; seed < first + count; seed++) await new History(world, seed).run();
  },
  120_000 + count * 1_000,
);
