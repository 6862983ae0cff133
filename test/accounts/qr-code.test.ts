import { qrCode } from '../../src/accounts/qr-code.js';

// Read as a scanner reads it, by ISO/IEC 18004: what is drawn is compared with nothing that drew it.

const uri = (label: string) =>
  `otpauth://totp/Keyway:${label}?issuer=Keyway&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&digits=6&period=30`;

test.each([
  ['a short text', 'x'],
  ['a URI', uri('somebody')],
  ['a URI with a long label', uri('%C3%BC'.repeat(32))],
  ['the longest URI', uri('%F0%9F%94%91'.repeat(64))],
])('the picture of %s holds it', (_, text) => {
  expect(read(modulesOf(qrCode(text)))).toBe(text);
});

test('it stands on white, four modules from the edge', () => {
  const modules = drawn(qrCode(uri('somebody')));
  const inner = modulesOf(qrCode(uri('somebody')));
  expect(modules.length).toBe(inner.length + 8);
  expect(modules.flat().filter(Boolean)).toHaveLength(inner.flat().filter(Boolean).length);
});

/** The squares of the picture: true where it is black. */
function drawn(picture: string): boolean[][] {
  const [, base64 = ''] = /^data:image\/svg\+xml;base64,([A-Za-z0-9+/]+=*)$/.exec(picture) ?? [];
  const svg = Buffer.from(base64, 'base64').toString('utf8');
  const [, width, height, rest, path] =
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 (\d+) (\d+)">(<rect fill="white" width="\d+" height="\d+"\/>)<path fill="black" d="([^"]*)"\/><\/svg>$/.exec(
      svg,
    ) ?? [];
  expect(rest).toBe(`<rect fill="white" width="${width}" height="${height}"/>`);
  expect(height).toBe(width);
  const size = Number(width) / 10;
  const modules = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  for (const square of (path ?? '').match(/M[^M]+/g) ?? []) {
    const [, x, y] = /^M(\d+),(\d+)h10v10h-10z$/.exec(square) ?? [];
    (modules[Number(y) / 10] as boolean[])[Number(x) / 10] = true;
  }
  return modules;
}

/** The symbol itself, without the white around it. */
const modulesOf = (picture: string): boolean[][] =>
  drawn(picture)
    .slice(4, -4)
    .map((row) => row.slice(4, -4));

/** The text of a symbol whose level of error correction is M, and whose content is bytes. */
function read(modules: boolean[][]): string {
  const version = (modules.length - 17) / 4;
  const blocks = deinterleaved(codewords(modules, version, maskOf(modules)), version);
  const bits = blocks.map((byte) => byte.toString(2).padStart(8, '0')).join('');
  expect(bits.slice(0, 4)).toBe('0100');
  const start = 4 + (version < 10 ? 8 : 16);
  const length = Number.parseInt(bits.slice(4, start), 2);
  const bytes = bits.slice(start, start + 8 * length).match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2))).toString('utf8');
}

const masks: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** From the format information beside the upper left finder (section 7.9), which also names the level. */
function maskOf(modules: boolean[][]): (x: number, y: number) => boolean {
  const places = [0, 1, 2, 3, 4, 5, 7, 8].map((x): [number, number] => [x, 8]);
  const bits = places.map(([x, y]) => (modules[y]?.[x] ? 1 : 0));
  const format = (Number.parseInt(bits.join(''), 2) << 7) ^ 0b101010000010010;
  expect(format >> 13).toBe(0b00);
  return masks[(format >> 10) & 7] as (typeof masks)[number];
}

/** All codewords, unmasked, in the order in which they are placed: in pairs of columns, up and down (section 7.7.3). */
function codewords(modules: boolean[][], version: number, mask: (x: number, y: number) => boolean): number[] {
  const size = modules.length;
  const bits: number[] = [];
  let upward = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step++) {
      const y = upward ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (!isPattern(x, y, size, version)) bits.push(modules[y]?.[x] === mask(x, y) ? 0 : 1);
      }
    }
    upward = !upward;
  }
  return (bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
}

/** Whether a module is of a finder, timing or alignment pattern, or tells of format or version. */
function isPattern(x: number, y: number, size: number, version: number): boolean {
  if (x === 6 || y === 6) return true;
  if ((x < 9 && y < 9) || (x < 9 && y >= size - 8) || (x >= size - 8 && y < 9)) return true;
  const far = size - 11;
  if (version >= 7 && ((x < 6 && y >= far && y < far + 3) || (y < 6 && x >= far && x < far + 3))) return true;
  const centres = alignment[version] ?? [];
  const last = centres.length - 1;
  return centres.some((cy, row) =>
    centres.some((cx, column) => {
      const onFinder =
        (row === 0 && column === 0) || (row === 0 && column === last) || (row === last && column === 0);
      return !onFinder && Math.abs(x - cx) <= 2 && Math.abs(y - cy) <= 2;
    }),
  );
}

/** The data codewords in their order, without those that correct errors: blocks are filled in turn (section 7.6). */
function deinterleaved(all: number[], version: number): number[] {
  const { blocks, correcting } = levelM[version] ?? { blocks: 1, correcting: 0 };
  const data = all.length - blocks * correcting;
  const short = Math.floor(data / blocks);
  const longer = data % blocks;
  const parts = Array.from({ length: blocks }, (): number[] => []);
  let at = 0;
  for (let place = 0; place < short; place++) for (const part of parts) part.push(all[at++] ?? 0);
  // The blocks that are one longer stand last.
  for (const part of parts.slice(blocks - longer)) part.push(all[at++] ?? 0);
  return parts.flat();
}

// ISO/IEC 18004, annex E: where alignment patterns are centred, by version.
const alignment: number[][] = [
  [],
  [],
  [6, 18],
  [6, 22],
  [6, 26],
  [6, 30],
  [6, 34],
  [6, 22, 38],
  [6, 24, 42],
  [6, 26, 46],
  [6, 28, 50],
  [6, 30, 54],
  [6, 32, 58],
  [6, 34, 62],
  [6, 26, 46, 66],
  [6, 26, 48, 70],
  [6, 26, 50, 74],
  [6, 30, 54, 78],
  [6, 30, 56, 82],
  [6, 30, 58, 86],
  [6, 34, 62, 90],
  [6, 28, 50, 72, 94],
  [6, 26, 50, 74, 98],
  [6, 30, 54, 78, 102],
  [6, 28, 54, 80, 106],
];

// Table 9: how many blocks of level M there are, and codewords that correct errors in each, by version.
const levelM: ({ blocks: number; correcting: number } | undefined)[] = [
  undefined,
  ...[10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28].map(
    (correcting, index) => ({
      blocks: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20][index] ?? 1,
      correcting,
    }),
  ),
];
