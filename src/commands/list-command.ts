import { Option, type Command } from 'commander';
import { addCommand, wholeNumber, type Adding } from './command.js';
import { noSuch } from './failure.js';
import { flag, variablesFrom, type Flag } from './flag-values.js';
import type { Findable } from './find.js';
import { writeList, writeOne } from './terminal/output.js';
import type { Fields } from './terminal/texts.js';
import type { CommandSession } from './session.js';

const usualRows = 100;
/** What the graph gives of a list at once. */
const mostOfPage = 100;

/** A command that lists things: a page after the other, as many rows as are wanted. */
export function addList(
  to: Command,
  adding: Adding,
  {
    does,
    document,
    field,
    flags,
    columns,
  }: {
    readonly does: string;
    /** A query with `$first` and `$after`. */
    readonly document: string;
    /** The connection in the answer. */
    readonly field: string;
    readonly flags: readonly Flag[];
    /** The fields that a table and CSV show, in their order. */
    readonly columns: readonly string[];
  },
): void {
  addCommand(to, adding, { name: 'list', does, flags }, async (session, given) => {
    const variables = await variablesFrom(session, flags, given);
    const most = given['all'] === true ? Infinity : (given['limit'] as number);
    await writeList(
      session.terminal,
      session.form,
      pagesOf(session, { document, field, variables, most }),
      columns,
    );
  })
    .addOption(
      new Option('--limit <number>', 'how many at most')
        .argParser(wholeNumber(1, 1_000_000))
        .default(usualRows),
    )
    .addOption(new Option('--all', 'all that there are').conflicts('limit'));
}

/** The pages of a list, with progress where a person looks on. */
export async function* pagesOf(
  session: CommandSession,
  { document, field, variables, most }: { document: string; field: string; variables: Fields; most: number },
): AsyncGenerator<readonly Fields[]> {
  let after: string | null = null;
  for (let count = 0; count < most;) {
    const first = Math.min(mostOfPage, most - count);
    const answer = await session.ask(document, { ...variables, first, after });
    const { nodes, pageInfo } = answer[field] as {
      nodes: readonly Fields[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
    count += nodes.length;
    if (pageInfo.hasNextPage) session.progress.tell(`${count} so far…`);
    yield nodes;
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
  }
  session.progress.end();
}

/** A command that shows one thing, with all that is known of it. */
export function addShow(
  to: Command,
  adding: Adding,
  {
    noun,
    does,
    kind,
    document,
    field,
  }: {
    readonly noun: string;
    readonly does: string;
    readonly kind: Findable;
    /** A query with `$id`. */
    readonly document: string;
    readonly field: string;
  },
): void {
  const argument = flag('id', `its name or id`, { name: noun, kind, isRequired: true });
  addCommand(to, adding, { name: 'show', does, argument }, async (session, given) => {
    const found = (await session.ask(document, await variablesFrom(session, [argument], given)))[field];
    if (!found) throw noSuch(noun);
    writeOne(session.terminal, session.form, found as Fields);
  });
}
