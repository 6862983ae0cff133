import { History, openWorld } from '../credentials/outside/model/history.js';

/** How many histories are lived through; `HISTORIES` says otherwise. */
const count = Number(process.env['HISTORIES'] ?? 10_000);
const first = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** In one database: it grows slower with each. */
const inOne = 250;

test(
  `R7, R9, R10, R11: histories (${count} from seed ${first}) settle, and no secret lives that Keyway does not know`,
  async () => {
    for (let from = first; from < first + count; from += inOne) {
      const world = await openWorld();
      try {
        for (let seed = from; seed < Math.min(from + inOne, first + count); seed++)
          await new History(world, seed).run();
      } finally {
        await world.close();
      }
    }
  },
  120_000 + count * 1_000,
);
