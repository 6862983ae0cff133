/**
 * One record of RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe in front, which it shows as
 * text: names are what somebody else has chosen.
 */
export const csvLine = (cells: readonly string[]): string => `${cells.map(cell).join(',')}\r\n`;

function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
