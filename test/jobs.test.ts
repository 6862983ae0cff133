import { startJobs, type JobParts } from '../src/jobs.js';
import { openLog } from '../src/log.js';

/** Jobs that write into `written`, but for those whose name is in `failing`. */
function jobs(failing: string[]) {
  const written: string[] = [];
  const logged: string[] = [];
  const work = (name: string) => async () => {
    if (failing.includes(name)) throw new Error('out of order');
    written.push(name);
  };
  const parts = {
    log: openLog('info', { write: (line) => void logged.push(line) }),
    lastUsed: { flush: work('last use') },
    decisions: { flush: work('decisions') },
    storeCalls: { flush: work('store calls') },
    checkpoints: { write: work('audit checkpoint'), breaks: [] },
    resumption: { stop: async () => undefined },
    syncs: { stop: async () => undefined },
    rotations: { stop: async () => undefined },
  };
  return { written, logged, started: startJobs(parts as unknown as JobParts) };
}

const all = ['last use', 'decisions', 'store calls', 'audit checkpoint'];

test('the end writes what still waits', async () => {
  const { started, written } = jobs([]);
  await started.stop();
  expect(written).toEqual(all);
});

test.each(all)('at the end, the failure of %s keeps none of the others from being written', async (name) => {
  const { started, written, logged } = jobs([name]);
  await started.stop();
  expect(written).toEqual(all.filter((other) => other !== name));
  expect(logged).toEqual([expect.stringContaining(`"job":"${name}"`)]);
});
