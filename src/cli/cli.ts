import { existsSync, writeFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { heldBecause } from '../audit/held.js';
import { readConfig, type Config } from '../config/config.js';
import type { Keyway, Locked } from '../start/keyway.js';
import { longestTokenDays, usualTokenDays } from '../config/limits.js';
import { addCommands } from '../commands/commands.js';
import { ownTerminal, type Terminal } from '../commands/terminal/terminal.js';
import type { Log } from '../log.js';
import { serveBeside } from './serve-beside.js';

// What a command needs is loaded by that command: help and refusals need nothing, and are told at once.

/**
 * Runs a command line; resolves with its exit code. A server resolves when it has stopped.
 * @param terminal what the commands for every day read and write
 */
export async function run(
  args: readonly string[],
  version: string,
  terminal: Terminal = ownTerminal(),
): Promise<number> {
  let code = 0;
  const program = new Command('keyway')
    .description('One GraphQL door to every credential store.')
    .version(version)
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    })
    .exitOverride();
  program
    .command('serve')
    .description('Starts Keyway, and ends with SIGTERM or SIGINT.')
    .action(async () => void (code = await (await serving()).serve(readConfig())));
  program
    .command(serveBeside, { hidden: true })
    .action(async () => void (code = await (await serving()).serveAsOneOfSeveral(readConfig())));
  program
    .command('migrate')
    .description('Brings the database up to date and makes what a first start makes, without serving.')
    .action(async () =>
      withKeyway(async (_, config) => say(`The database is up to date. Data folder: ${config.dataDir}`)),
    );
  program
    .command('demo')
    .description('Fills an empty Keyway with examples.')
    .option('--stores', 'with all five outside stores too, each on a stand-in of its vendor; and serves')
    .action(async (options: { stores?: true }) => {
      if (options.stores) code = await demoStores();
      else
        await withKeyway(async (keyway, _, log) =>
          say(await (await import('../start/demo/demo.js')).fill(keyway, log)),
        );
    });
  const token = program.command('token').description('Tokens, on the machine itself.');
  token
    .command('create')
    .description(
      'Makes a token for an account, such as for an administrator who is locked out, and prints it once.',
    )
    .option('--account <name>', 'whose token', 'admin')
    .option('--days <number>', `how long it lives: 1 to ${longestTokenDays} days`, days, usualTokenDays)
    .action(async (options: { account: string; days: number }) =>
      withKeyway(async ({ db, keyring }) => {
        const [{ makeToken }, { accountByName }] = await Promise.all([
          import('../start/admin-token.js'),
          import('../start/account-by-name.js'),
        ]);
        const account = await accountByName(db, options.account);
        if (!account.enabled) throw new Error('The account is disabled.');
        const made = await db.transaction((tx) =>
          makeToken(tx, keyring, account, 'Made on the command line', options.days),
        );
        say(made.expose());
        made.wipe();
      }),
    );
  const mfa = program.command('mfa').description('Second factors, on the machine itself.');
  mfa
    .command('remove')
    .description(
      'Takes the second factor off an account, for a person who lost both the device and the recovery codes.',
    )
    .requiredOption('--account <name>', 'whose second factor')
    .action(async (options: { account: string }) =>
      withKeyway(async ({ db, keyring }) => {
        const [{ takeFactorOff }, { accountByName }] = await Promise.all([
          import('../start/admin-mfa.js'),
          import('../start/account-by-name.js'),
        ]);
        const account = await accountByName(db, options.account);
        await db.transaction((tx) => takeFactorOff(tx, keyring, account));
        say('The second factor is removed.');
      }),
    );
  const keys = program
    .command('keys')
    .description('The keys that seal, verify and sign: kek, verifier, pepper and audit.');
  keys
    .command('list')
    .description('Names every key, what is still by it, and what can be done next.')
    .action(async () => {
      const config = readConfig();
      const { keysList, keysInFiles, isDatabaseTaken } = await keyCommands();
      try {
        await withKeywayAsItIs(async ({ db }) => say(await keysList(db, config)), config);
      } catch (error) {
        if (!isDatabaseTaken(error)) throw error;
        say(keysInFiles(config));
        say(
          'A Keyway has the database open: its metric keyway_keyring_rows says what names older keys; or stop it first.',
        );
      }
    });
  keys
    .command('add')
    .description('Adds a key that is not current yet, to be brought to every machine before it is.')
    .addArgument(kindOfKey())
    .addOption(plain())
    .action(async (kind: KeyKind, options: { plain?: true }) =>
      say(await (await keyCommands()).keysAdd(readConfig(), kind, options.plain === true)),
    );
  keys
    .command('rotate')
    .description('Makes the key current that was added last, or else a fresh one. A running Keyway takes it.')
    .addArgument(kindOfKey())
    .option('--stopped', 'for audit: all Keyways of this database are stopped')
    .addOption(plain())
    .action(async (kind: KeyKind, options: { stopped?: true; plain?: true }) =>
      say(await (await keyCommands()).keysRotate(readConfig(), kind, options)),
    );
  keys
    .command('rewrap')
    .description(
      'Has the provider of KEYWAY_KEK_PROVIDER wrap every KEK anew: after its own key was rotated, or where it is another.',
    )
    .addArgument(new Argument('<kind>', 'the others stand in their files as they are').choices(['kek']))
    .addOption(plain())
    .action(async (_: string, options: { plain?: true }) =>
      say(await (await keyCommands()).keysRewrap(readConfig(), options.plain === true)),
    );
  keys
    .command('bring')
    .description(
      'Adds the keys of another folder that are not here: for a restored database from before they were retired.',
    )
    .argument('<folder>', 'the key files of that time, such as those of a backup')
    .addOption(plain())
    .action(async (folder: string, options: { plain?: true }) =>
      say(await (await keyCommands()).keysBring(readConfig(), folder, options.plain === true)),
    );
  keys
    .command('retire')
    .description('Takes out a key that nothing names any more. A start without it succeeds then.')
    .addArgument(kindOfKey())
    .argument('<id>', 'which key: k1, k2 and so on')
    .option(
      '--abandon',
      'also while verifiers or hashes are by it: what was not used since can never be verified again',
    )
    .action(async (kind: KeyKind, id: string, options: { abandon?: true }) =>
      withKeys(async (keyway, config) => {
        if (keyway.keyring && keyway.checkpoints.breaks.length > 0)
          throw new Error(`Keyway is ${heldBecause}.`);
        const abandon = options.abandon === true;
        say(await (await keyCommands()).keysRetire(keyway, config, { kind, id, abandon }));
      }),
    );
  const audit = program.command('audit').description('The audit log.');
  audit
    .command('verify')
    .description(
      'Reads every chain of the audit log, and names the first row at which it is not what it was.',
    )
    .option('--checkpoints <file>', 'a copy of the file of checkpoints, or one that was moved away')
    .action(async ({ checkpoints: copy }: { checkpoints?: string }) =>
      withKeywayAsItIs(async ({ db, keyring, checkpoints }) => {
        if (copy !== undefined && !existsSync(copy)) throw new Error('There is no such file of checkpoints.');
        const { checkAudit } = await import('../audit/check.js');
        const { allLines } = await import('../audit/checkpoints/place.js');
        const { linesOfFile } = await import('../audit/checkpoints/folder.js');
        const { sealOf } = await import('../audit/checkpoints/line.js');
        const lines = copy === undefined ? allLines(checkpoints.place, sealOf(keyring)) : linesOfFile(copy);
        const { chains, events, breaks, unsigned } = await checkAudit(db, keyring, lines);
        for (const { account, number, reason } of breaks) say(`account ${account}, row ${number}: ${reason}`);
        if (unsigned > 0) say(`${unsigned} checkpoint lines are not signed by these keys`);
        const whole = breaks.length === 0 && unsigned === 0;
        say(
          whole
            ? `The audit log is whole: ${events} events in ${chains} chains.`
            : 'The audit log has been tampered with.',
        );
        if (!whole) code = 1;
      }),
    );
  program
    .command('backup')
    .description('Writes the embedded database to a file, while no server has it open.')
    .argument('<file>', 'where to')
    .action(async (file: string) =>
      say(await (await import('../start/backup.js')).backUpEmbedded(readConfig(), file)),
    );
  const restore = program
    .command('restore')
    .description('Puts a backup in the place of the embedded database, which is kept beside it.')
    .argument('<file>', 'what `backup` has written')
    .action(async (file: string) => {
      say(await (await import('../start/backup.js')).restoreEmbedded(readConfig(), file));
      await withKeywayAsItIs(({ checkpoints }) => {
        if (checkpoints.breaks.length === 0) return;
        say('It is behind its checkpoints, so that nothing is served yet: run "keyway restore accept".');
      });
    });
  restore
    .command('accept')
    .description(
      'Goes on with a database that is behind its checkpoints, or is not what they say, where it is to be kept as it is. What was revoked, deleted, disabled, withdrawn or rotated since is ended again; that is recorded in the audit log, and the checkpoints of before are kept in another file.',
    )
    .option(
      '--incomplete',
      'also where the checkpoints do not tell all that ended: what they lack may work again',
    )
    .action(async ({ incomplete = false }: { incomplete?: boolean }) =>
      withKeywayAsItIs(async (keyway) =>
        say(await (await import('./restore.js')).acceptState(keyway, incomplete, say)),
      ),
    );
  program
    .command('doctor')
    .description(
      'Looks at all that Keyway needs, also where it does not start, changes nothing, and says what to do. Ends with exit code 1 where something is wrong. While it asks outside stores, for a minute at most, no Keyway can open the same embedded database.',
    )
    .option('--json', 'as JSON, for a program')
    .action(async ({ json = false }: { json?: boolean }) => {
      code = await (await import('./doctor.js')).runDoctor(json, say);
    });
  program
    .command('schema')
    .description('Writes the graph, with its descriptions, to a file.')
    .argument('[file]', 'where to, or - for the standard output', 'schema.graphql')
    .action(async (file: string) => {
      const { openSchema, printGraph } = await import('../graph/schema.js');
      const text = printGraph(await openSchema());
      if (file === '-') process.stdout.write(text);
      else writeFileSync(file, text);
    });
  addCommands(program, { terminal, audit, ended: (ending) => void (code = ending) });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof Error && error.name === 'CommanderError')
      return (error as Error & { exitCode: number }).exitCode;
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
  return code;
}

/** The examples with all stores: the stand-ins are on this machine, and gone when Keyway stops. */
async function demoStores(): Promise<number> {
  if (readConfig().production)
    throw new Error(
      'The stores of the demo are stand-ins on this machine, and not for production: leave NODE_ENV out.',
    );
  const config = readConfig(undefined, { KEYWAY_OUTBOUND_LOCAL: 'true', KEYWAY_PROCESSES: '1' });
  // Before anything is made: it could not be made again.
  await (await import('../start/listening.js')).expectFree(config);
  const [{ fill }, { startStandIns, connectStores, exampleStore }] = await Promise.all([
    import('../start/demo/demo.js'),
    import('../start/demo/stores.js'),
  ]);
  const standIns = await startStandIns();
  try {
    await withKeyway(async (keyway, _, log) => {
      say(await fill(keyway, log, 'open the address that is printed below in a browser'));
      say(`\n${await connectStores(keyway, config, log, standIns)}`);
    }, config);
    return await (await serving()).serve({ ...config, exampleStore: exampleStore(standIns) });
  } finally {
    await standIns.stop();
  }
}

const serving = () => import('./serve.js');
const keyCommands = () => import('../start/key-commands.js');
type KeyKind = Parameters<Awaited<ReturnType<typeof keyCommands>>['keysAdd']>[1];

const kindOfKey = () => new Argument('<kind>', 'which keys').choices(['kek', 'verifier', 'pepper', 'audit']);

const plain = () =>
  new Option(
    '--plain',
    'for kek: may stand in its file as it is, though a provider has wrapped the current one',
  );

type Work = (keyway: Keyway, config: Config, log: Log) => Promise<void> | void;

/** Opens what a command needs, and closes it again. @throws an Error to show, where Keyway is not ready. */
const withKeyway = (work: Work, config = readConfig()): Promise<void> =>
  withKeywayAsItIs((keyway, ...rest) => {
    if (keyway.checkpoints.breaks.length > 0) throw new Error(`Keyway is ${heldBecause}.`);
    return work(keyway, ...rest);
  }, config);

/** The same, also where the audit log is not what its checkpoints say: for a command that looks at it. */
const withKeywayAsItIs = (work: Work, config = readConfig()): Promise<void> =>
  withKeys(async (keyway, ...rest) => {
    if (!keyway.keyring)
      throw new Error(
        `The database was written with keys that are not here: ${keyway.missing.join(', ')}. If they were retired since: keyway keys bring FOLDER`,
      );
    await work(keyway, ...rest);
    await keyway.checkpoints.write();
  }, config);

/** The same, also where keys are missing. */
async function withKeys(
  work: (keyway: Keyway | Locked, config: Config, log: Log) => Promise<void>,
  config = readConfig(),
): Promise<void> {
  const { openLog, standardError } = await import('../log.js');
  const log = openLog(config.logLevel === 'info' ? 'warn' : config.logLevel, standardError());
  const { openKeyway } = await import('../start/keyway.js');
  const keyway = await openKeyway(config, log);
  try {
    await work(keyway, config, log);
  } finally {
    await keyway.close();
  }
}

function days(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > longestTokenDays)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${longestTokenDays}`);
  return value;
}

const say = (text: string) => void process.stdout.write(`${text}\n`);

/** What a person at the terminal is told: our own words, and the codes of others. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Keyway failed.';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.message || 'Keyway failed.'} (${code})` : error.message;
}
