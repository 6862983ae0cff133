import { plain, plainLines } from './plain.js';
import { coloured, type Terminal } from './terminal.js';
import { cellOf, isFields, titleOf, type Fields } from './texts.js';

/** A line for each row, below titles; not wider than the terminal, where it goes to one. */
export function tableOf(terminal: Terminal, rows: readonly Fields[], columns: readonly string[]): string {
  const cells = rows.map((row) => columns.map((column) => plain(cellOf(row[column]))));
  const titles = columns.map(titleOf);
  const widths = fitted(
    titles.map((title, at) => Math.max(...[title, ...cells.map((row) => row[at] ?? '')].map(widthOf))),
    terminal.out.columns,
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, at) => padded(cut(text, widths[at] ?? 0), widths[at] ?? 0))
      .join(gap)
      .trimEnd();
  return [coloured(terminal, 'out', 'bold', line(titles)), ...cells.map(line)]
    .map((text) => `${text}\n`)
    .join('');
}

/** A line for each field of one thing that says something, and one for each of several things in a field. */
export function recordOf(terminal: Terminal, row: Fields): string {
  const fields = Object.entries(row)
    .map(([field, value]) => [titleOf(field), partsOf(value)] as const)
    .filter(([, parts]) => parts.some((text) => text !== ''));
  const width = Math.max(0, ...fields.map(([title]) => widthOf(title)));
  const below = `\n${' '.repeat(width)}${gap}`;
  return fields
    .map(
      ([title, parts]) =>
        `${coloured(terminal, 'out', 'bold', padded(title, width))}${gap}${parts.map(plainLines).join(below)}\n`,
    )
    .join('');
}

/** Several things that are called by their names have room on one line. */
const partsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) && value.some((one) => isFields(one) && !('name' in one))
    ? value.map(cellOf)
    : [cellOf(value)];

const gap = '  ';
const least = 8;

/** Narrower where that is needed: the widest column first, and never the first one, which has what others are asked by. */
function fitted(widths: readonly number[], most = Infinity): readonly number[] {
  const fitting = [...widths];
  const sum = () => fitting.reduce((all, width) => all + width + gap.length, -gap.length);
  for (let over = sum() - most; over > 0; over = sum() - most) {
    const widest = Math.max(...fitting.slice(1));
    if (widest <= least) break;
    fitting[fitting.indexOf(widest, 1)] = Math.max(least, widest - over);
  }
  return fitting;
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (widthOf(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

const padded = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** How many places of a terminal a text takes: characters of East Asia and pictures take two, and accents none. */
const widthOf = (text: string): number =>
  [...text].reduce(
    (sum, character) => sum + (/\p{M}|\u200d/u.test(character) ? 0 : wide.test(character) ? 2 : 1),
    0,
  );

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
