import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { addChange } from '../change-command.js';
import { addCommand, asUsage, type Adding } from '../command.js';
import {
  storeCheck,
  storeCreate,
  storeDelete,
  storeGrantScope,
  storeList,
  storeScopes,
  storeShow,
  storeSync,
  storeSyncState,
  storeUpdate,
  storeWithdrawScope,
} from '../documents/store.js';
import { CommandFailure, exitCodes, noSuch, wrongUsage } from '../failure.js';
import { camel, flag, variablesFrom } from '../flag-values.js';
import { addShow } from '../list-command.js';
import { fieldOptions, fieldsGiven } from '../secret-input.js';
import type { CommandSession } from '../session.js';
import { writeList, writeOne } from '../terminal/output.js';
import type { Fields } from '../terminal/texts.js';

const one = flag('id', 'its name or id', { name: 'store', kind: 'store', isRequired: true });

/** `keyway store …` */
export function addStore(program: Command, adding: Adding): void {
  const store = asUsage(program.command('store').description('Stores: where credentials are kept.'));
  addCommand(store, adding, { name: 'list', does: 'Lists those that you may see.' }, async (session) => {
    const { stores } = (await session.ask(storeList)) as { stores: readonly Fields[] };
    const columns = ['id', 'name', 'kind', 'account', 'endpoint', 'health', 'lastSync'];
    await writeList(session.terminal, session.form, inOnePage(stores), columns);
  });
  addShow(store, adding, {
    noun: 'store',
    does: 'Shows one: what Keyway can do there, and whether it answers.',
    kind: 'store',
    document: storeShow,
    field: 'node',
  });
  addCommand(
    store,
    adding,
    { name: 'scopes', does: 'Lists the parts in which Keyway can create credentials.', argument: one },
    async (session, given) => {
      const { node } = await session.ask(storeScopes, await variablesFrom(session, [one], given));
      if (!node) throw noSuch('store');
      const { scopes } = node as { scopes: readonly Fields[] | null };
      await writeList(session.terminal, session.form, inOnePage(scopes ?? []), ['id', 'name']);
    },
  );
  addStoreChanges(store, adding);
}

function addStoreChanges(store: Command, adding: Adding): void {
  const connection = [
    new Option('--kind <kind>', 'the kind of system; docs/stores.md has what each needs'),
    ...fieldOptions(),
  ];
  addChange(store, adding, {
    name: 'create',
    alias: 'connect',
    does: 'Connects an outside system, which is called first, and waits until what it lists is here.',
    document: storeCreate,
    shows: 'store',
    argument: flag('name', 'the name used in queries', { isRequired: true }),
    flags: [flag('account', 'the account that it belongs to', { kind: 'account' })],
    options: connection,
    more: withConnection,
    after: async (session, { store: made }) => waitForSync(session, await beginSync(session, made as Synced)),
  });
  addChange(store, adding, {
    name: 'update',
    does: 'Changes its name, or its whole connection, which is tried first.',
    document: storeUpdate,
    shows: 'store',
    argument: one,
    flags: [flag('name', 'the name used in queries')],
    options: connection,
    more: withConnection,
    takesCode: true,
  });
  addChange(store, adding, {
    name: 'check',
    does: 'Calls it now, to find out whether it answers.',
    document: storeCheck,
    shows: 'store',
    argument: one,
  });
  addChange(store, adding, {
    name: 'sync',
    does: 'Reads what it lists, and waits until all of it is here.',
    document: storeSync,
    shows: 'store',
    argument: one,
    after: async (session, { store: synced }) => waitForSync(session, synced as Synced),
  });
  addChange(store, adding, {
    name: 'delete',
    alias: 'disconnect',
    does: 'Disconnects it; in the system itself nothing changes.',
    document: storeDelete,
    shows: 'deleted',
    argument: one,
    flags: [flag('abandonCredentials', 'also while something is to be done there', { kind: 'boolean' })],
    isFinal: true,
  });
  const scope = [
    flag('account', 'the account that creates there', { kind: 'account' }),
    flag('scope', 'the part of the store, as store scopes names it'),
  ];
  const of = { ...one, path: 'store' };
  addChange(store, adding, {
    name: 'grant-scope',
    does: 'Lets an account create credentials in a part of it.',
    document: storeGrantScope,
    shows: 'grant',
    argument: of,
    flags: scope,
    takesCode: true,
  });
  addChange(store, adding, {
    name: 'withdraw-scope',
    does: 'Takes that from the account.',
    document: storeWithdrawScope,
    shows: 'store',
    argument: of,
    flags: scope,
  });
}

async function withConnection(session: CommandSession, input: Fields, given: Fields): Promise<Fields> {
  const fields = await fieldsGiven(session, given);
  const { kind } = given;
  if (typeof kind === 'string') return { ...input, connection: { [camel(kind)]: fields } };
  if (Object.keys(fields).length > 0)
    throw wrongUsage('--kind', 'must be given with what the connection consists of');
  return input;
}

interface Synced extends Fields {
  readonly id: string;
  readonly lastSync: {
    added: number;
    changed: number;
    gone: number;
    finishedAt: string | null;
    error: string | null;
  } | null;
}

const betweenLooksMs = 1_000;

/** Asks for the first sync now, however long the store's own clock would wait; connected it is also where that is refused. */
async function beginSync(session: CommandSession, made: Synced): Promise<Synced> {
  try {
    const { syncStore } = await session.ask(storeSync, { input: { id: made.id } });
    return (syncStore as { store: Synced }).store;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    session.failure ??= error;
    return made;
  }
}

/** The graph answers after 10 s at most; what is larger is looked at until it is here. */
async function waitForSync(session: CommandSession, synced: Synced): Promise<number> {
  let store = synced;
  while (store.lastSync && store.lastSync.finishedAt === null && store.lastSync.error === null) {
    const { added, changed, gone } = store.lastSync;
    session.progress.tell(`${added} added, ${changed} changed, ${gone} gone so far…`);
    await sleep(betweenLooksMs);
    store = (await session.ask(storeSyncState, { id: store.id }))['node'] as Synced;
  }
  session.progress.end();
  writeOne(session.terminal, session.form, store);
  const error = store.lastSync?.error;
  if (error)
    session.failure ??= new CommandFailure(error, 'The sync has not brought in all.', {
      exitCode: exitCodes.failed,
    });
  return exitCodes.done;
}

async function* inOnePage(rows: readonly Fields[]): AsyncGenerator<readonly Fields[]> {
  yield rows;
}
