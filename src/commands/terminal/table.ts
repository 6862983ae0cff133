import { plain, plainLines } from './plain.js';
import { coloured, type Terminal } from './terminal.js';
import { cellOf, titleOf, type Fields } from './texts.js';

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

/** A line for each field of one thing. */
export function recordOf(terminal: Terminal, row: Fields): string {
  const fields = Object.entries(row).map(([field, value]) => [titleOf(field), cellOf(value)] as const);
  const width = Math.max(0, ...fields.map(([title]) => widthOf(title)));
  return fields
    .map(
      ([title, text]) =>
        `${coloured(terminal, 'out', 'bold', padded(title, width))}${gap}${plainLines(text)}\n`,
    )
    .join('');
}

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
