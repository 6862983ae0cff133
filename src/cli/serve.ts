import { heldBecause } from '../audit/held.js';
import type { Config } from '../config/config.js';
import { openLog, standardOutput, type Log } from '../log.js';
import { endOfNode } from '../start/doctor/lifetimes.js';
import type { Running, StopWaiting } from './main.js';
import { openParent, runProcesses, type Up } from './processes.js';
import { serveBeside } from './serve-beside.js';

/** Serves until it is asked to stop, in as many processes as the configuration says; resolves with the exit code. */
export async function serve(config: Config): Promise<number> {
  const log = openServingLog(config);
  const ended = endOfNode(process.versions.node, Date.now());
  if (ended !== undefined) log.warn({ node: process.versions.node }, ended);
  const stopAsked = heardSignal(config, log);
  const code =
    config.processes === 1
      ? await serveHere(config, log, stopAsked, (running) => tellUp(upOf(running), config, log))
      : await serveInSeveral(config, log, stopAsked);
  log.info({}, 'Keyway has stopped');
  return code;
}

/** Serves as one of several processes, until it or the one that started it is asked to stop. */
export async function serveAsOneOfSeveral(config: Config): Promise<number> {
  const parent = openParent();
  const log = openServingLog(config);
  const stopAsked = Promise.race([parent.stopAsked, heardSignal(config, log)]);
  return serveHere(config, log, stopAsked, (running) =>
    parent.up(upOf(running), () => running.takeSharedJobs()),
  );
}

async function serveHere(
  config: Config,
  log: Log,
  stopAsked: Promise<StopWaiting>,
  onUp: (running: Running) => void,
): Promise<number> {
  const { openOnceThere, start, StoppedWaiting } = await import('./main.js');
  const running = await start(config, log, undefined, openOnceThere(stopAsked)).catch((error: unknown) => {
    if (!(error instanceof StoppedWaiting)) throw error;
  });
  if (!running) return 0;
  onUp(running);
  await running.stop(await stopAsked);
  return 0;
}

async function serveInSeveral(config: Config, log: Log, stopAsked: Promise<StopWaiting>): Promise<number> {
  const metrics = await openMetrics(config, log);
  try {
    return await runProcesses({
      command: serveBeside,
      count: config.processes,
      log,
      onUp: (up) => tellUp(up, config, log),
      stopAsked,
    });
  } finally {
    await metrics?.stop();
  }
}

async function openMetrics({ metrics: at }: Config, log: Log) {
  if (!at) return undefined;
  const [{ openMetricsOfAll }, { listening, metricsAddress }] = await Promise.all([
    import('../http/metrics.js'),
    import('../start/listening.js'),
  ]);
  const metrics = await listening(metricsAddress, () => openMetricsOfAll(at));
  log.info({ metrics: metrics.url }, 'metrics are served');
  return metrics;
}

function openServingLog({ logLevel, processes }: Config): Log {
  const shared = processes > 1;
  const log = openLog(logLevel, standardOutput({ shared }), shared ? { pid: process.pid } : {});
  process.on('unhandledRejection', (error) =>
    log.error({ error }, 'a promise was rejected and nobody cared'),
  );
  return log;
}

/**
 * Hears signals from the first moment on: what comes while it starts ends it once it has. A further one changes nothing: what
 * is under way is to finish, and SIGKILL is there for those who cannot wait.
 */
function heardSignal(config: Config, log: Log): Promise<StopWaiting> {
  let heard = false;
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (heard) return log.warn({ signal }, 'Keyway is stopping already');
        heard = true;
        log.info({ signal }, 'Keyway is stopping');
        // A person at a terminal waits for nobody who would have to see that it is not ready.
        resolve({ delayMs: signal === 'SIGTERM' ? config.stopDelayMs : 0, idleMs: idleAtStopMs });
      });
  });
}

/** How long a connection without a request stays open at a stop: what was sent by then has come. */
const idleAtStopMs = 1_000;

const upOf = ({ url, tokenPath, missing, lacking, breaks }: Running): Up => ({
  url,
  tokenPath,
  missing,
  lacking,
  held: breaks.length > 0,
});

function tellUp(up: Up, config: Config, log: Log): void {
  const database = config.databaseUrl === undefined ? 'embedded' : 'postgresql';
  const { console, explorer, processes } = config;
  log.info({ url: up.url, console, explorer, database, processes }, 'Keyway is up');
  const text =
    up.missing.length > 0
      ? notReady(up.missing, config)
      : up.held
        ? `\nKeyway is ${heldBecause}.`
        : up.lacking.length > 0
          ? notUnwrapped(up.lacking)
          : greeting(up, config);
  process.stdout.write(`${text}\n`);
}

function greeting({ url, tokenPath }: Up, config: Config): string {
  const path = `${config.dataDir}/admin-token`;
  const lines = [`\nKeyway is ready: ${url}/graphql`];
  if (config.console) lines.push(`Look after credentials in a browser: ${url}/`);
  if (config.explorer) lines.push(`Explore the graph in a browser: ${url}/explore`);
  if (tokenPath) lines.push(`The administrator's token was written to ${path}`);
  lines.push(
    'Try it:',
    `  curl -s ${url}/graphql -H 'content-type: application/json' -H "authorization: Bearer $(cat '${path}')" -d '{"query":"{ viewer { name title } }"}'`,
    '',
  );
  return lines.join('\n');
}

const notReady = (missing: readonly string[], { keysDir }: Config): string =>
  [
    `\nKeyway is not ready: the database was written with keys that are not here: ${missing.join(', ')}`,
    `Bring the key files back to ${keysDir}, or set KEYWAY_KEYS_DIR, and start it again.`,
    'If this is an older state, and they were retired since: keyway keys bring FOLDER, with a copy of the key files of its time.',
  ].join('\n');

const notUnwrapped = (lacking: readonly string[]): string =>
  [
    '\nKeyway is not ready: keys are not unwrapped.',
    ...lacking.map((why) => `  ${why}`),
    'It tries again by itself, and the log says when it has them. Meanwhile it does what needs none of them, such as verify tokens.',
  ].join('\n');
