import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client';

/** What one process has measured. */
type Told = MetricObject[];

/** What is said between a process and the one that started it; the channel is that of `cli/processes.ts` too. */
type Message = { keyway: 'measure'; number: number } | { keyway: 'measured'; number: number; metrics: Told };

/** How long a process is waited for: it may wait for the database for two seconds itself. */
const patienceMs = 3_000;

/** Tells the process that started this one what is measured here, whenever it asks for it. */
export function tellParent(registry: Registry): void {
  const { worker } = cluster;
  // A parent that has just ended hears nothing, and then this process ends too.
  const tell = (number: number, metrics: Told) =>
    worker?.send({ keyway: 'measured', number, metrics } satisfies Message, () => undefined);
  worker?.on('message', (message: Message) => {
    if (message.keyway !== 'measure') return;
    const { number } = message;
    // Where it cannot be read this process is one that does not answer.
    registry.getMetricsAsJSON().then(
      (metrics) => tell(number, metrics),
      () => undefined,
    );
  });
  // From now on it can be asked.
  tell(0, []);
}

/**
 * Adds up what the processes that this one has started tell. What only grows never falls: of a process that has ended, or
 * does not answer in time, it is what it told last. All else is that of those that answer.
 * @returns what asks them, and resolves with the text for Prometheus.
 */
export function gatherFromAll(): () => Promise<string> {
  const told = new Map<Worker, { number: number; metrics: Told }>();
  let ended: Told = [];
  let asked = 0;
  const looks = new Set<() => void>();

  cluster.on('message', (worker, message: Message) => {
    if (message.keyway !== 'measured' || worker.isDead()) return;
    const { number, metrics } = message;
    if (number >= (told.get(worker)?.number ?? 0)) told.set(worker, { number, metrics });
    for (const look of looks) look();
  });
  cluster.on('exit', (worker) => {
    const last = told.get(worker);
    told.delete(worker);
    if (last) ended = AggregatorRegistry.aggregate([ended, growing(last.metrics)]).getMetricsAsArray();
    for (const look of looks) look();
  });

  return async () => {
    const number = ++asked;
    const all = [...told.keys()].filter((worker) => worker.isConnected());
    for (const worker of all) worker.send({ keyway: 'measure', number } satisfies Message, () => undefined);
    const hasTold = (worker: Worker) => (told.get(worker)?.number ?? number) >= number;
    await new Promise<void>((resolve) => {
      const end = () => {
        looks.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const look = () => {
        if (all.every(hasTold)) end();
      };
      const timer = setTimeout(end, patienceMs);
      looks.add(look);
      look();
    });
    const those = [...told.values()].map((one) =>
      one.number >= number ? one.metrics : growing(one.metrics),
    );
    return AggregatorRegistry.aggregate([...those, ended]).metrics();
  };
}

/** What only grows while a process lives. */
const growing = (metrics: Told): Told =>
  metrics.filter(({ type }) => ['counter', 'histogram', 'summary'].includes(String(type)));
