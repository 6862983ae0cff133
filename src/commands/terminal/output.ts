import { csvLine } from './csv.js';
import { plain, plainJson } from './plain.js';
import { recordOf, tableOf } from './table.js';
import type { Terminal } from './terminal.js';
import { withSecrets, cellOf, variableOf, type Fields } from './texts.js';
import { wrongUsage } from '../failure.js';

/** How an answer is written. */
export const outputForms = ['table', 'json', 'csv', 'env'] as const;
export type OutputForm = (typeof outputForms)[number];

/** Writes one thing. @param isShown whether the secrets in it are shown, because they were asked for */
export function writeOne(terminal: Terminal, form: OutputForm, row: Fields, isShown = false): void {
  const told = isShown ? (withSecrets(row) as Fields) : row;
  if (form === 'json') return writeJson(terminal, told);
  if (form === 'csv') return writeCsv(terminal, [told], Object.keys(told), true);
  terminal.out.write(form === 'env' ? assignments(terminal, told) : recordOf(terminal, told));
}

/**
 * Writes a list: CSV page by page as it comes, and the rest at its end.
 * @throws BAD_USER_INPUT for `env`, which is for one thing
 */
export async function writeList(
  terminal: Terminal,
  form: OutputForm,
  pages: AsyncIterable<readonly Fields[]>,
  columns: readonly string[],
): Promise<void> {
  if (form === 'env') throw wrongUsage('output', 'env is for one thing: use json, csv or table for a list');
  const rows: Fields[] = [];
  let isFirst = true;
  for await (const page of pages) {
    if (form !== 'csv') rows.push(...page);
    else writeCsv(terminal, page, columns, isFirst);
    isFirst = false;
  }
  if (form === 'json') writeJson(terminal, rows);
  if (form === 'table' && rows.length > 0) terminal.out.write(tableOf(terminal, rows, columns));
  if (form === 'table' && rows.length === 0) terminal.err.write('There are none.\n');
}

/** Writes JSON that does nothing to a terminal, whatever is in it. */
export const writeJson = ({ out }: Terminal, value: unknown): void =>
  out.write(`${plainJson(JSON.stringify(value, null, 2))}\n`);

function writeCsv(
  { out }: Terminal,
  rows: readonly Fields[],
  columns: readonly string[],
  isFirst: boolean,
): void {
  const own = out.isTerminal ? plain : (text: string) => text;
  if (isFirst) out.write(csvLine(columns));
  for (const row of rows) out.write(csvLine(columns.map((column) => own(cellOf(row[column])))));
}

/** Lines that sh and its relatives take; in a terminal they are to be read, and do nothing to it. */
function assignments({ out }: Terminal, row: Fields): string {
  const own = out.isTerminal ? plain : (text: string) => text;
  return Object.entries(row)
    .map(([field, value]) => `KEYWAY_${variableOf(field)}='${own(cellOf(value)).replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
