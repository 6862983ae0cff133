import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { PNG } from 'pngjs';

// Pictures of the console, compared with those that somebody has looked at. A font of a package stands in for the machine's, and
// what differs from run to run (times, ids, keys, plots) is out of sight.

const folder = 'test/browser/pictures';
/** A block of pixels is another one where its mean differs by so much of 255: edges of letters differ by less. */
const leastDifference = 24;
const blockSize = 4;
/** So many blocks may be others: a button has more. */
const mostOthers = 30;

const fontFace = (weight: number) => {
  const file = createRequire(import.meta.url).resolve(
    `@fontsource/inter/files/inter-latin-${weight}-normal.woff2`,
  );
  const data = readFileSync(file).toString('base64');
  return `@font-face { font-family: Pictured; font-weight: ${weight}; src: url(data:font/woff2;base64,${data}); }`;
};
const style = `${[400, 600, 700].map(fontFace).join('\n')}
  * { font-family: Pictured !important; transition: none !important; animation: none !important; }
  /* What the font does not have, a font of the machine would show. */
  canvas, .choice [aria-hidden='true'], .lookup > .react-aria-Button { visibility: hidden !important; }
  time, code { display: none !important; }`;

/** A tab whose pictures are half as large as it is: details that nobody looks at are no reason to fail. */
export const forPictures = (
  browser: Browser,
  colorScheme: 'light' | 'dark',
  width: number,
): Promise<BrowserContext> =>
  browser.newContext({
    colorScheme,
    viewport: { width, height: 900 },
    deviceScaleFactor: 0.5,
    // The style below is none of the console's.
    bypassCSP: true,
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: 'UTC',
  });

/** Holds a page to its picture. With UPDATE_PICTURES=1 the picture is taken anew, for somebody to look at. */
export async function expectPicture(page: Page, name: string): Promise<void> {
  await page.addStyleTag({ content: style });
  await page.evaluate('document.fonts.ready.then(() => undefined)');
  const taken = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  const [file, other] = [`${folder}/${name}.png`, `${folder}/${name}.other.png`];
  mkdirSync(folder, { recursive: true });
  if (process.env['UPDATE_PICTURES'] !== undefined) writeFileSync(file, taken);
  const others = existsSync(file)
    ? othersIn(PNG.sync.read(taken), PNG.sync.read(readFileSync(file)))
    : Infinity;
  if (others > mostOthers) {
    writeFileSync(other, taken);
    throw new Error(`${other} is not ${file}: ${others} blocks differ`);
  }
  rmSync(other, { force: true });
}

/** How many blocks are others; all, where they are of another size. */
function othersIn(one: PNG, two: PNG): number {
  if (one.width !== two.width || one.height !== two.height) return Infinity;
  let others = 0;
  for (let top = 0; top < one.height; top += blockSize)
    for (let left = 0; left < one.width; left += blockSize) {
      const [mean, known] = [meanOf(one, left, top), meanOf(two, left, top)];
      if (mean.some((value, channel) => Math.abs(value - (known[channel] ?? 0)) > leastDifference)) others++;
    }
  return others;
}

/** Of each channel. */
function meanOf({ data, width, height }: PNG, left: number, top: number): number[] {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = top; y < Math.min(top + blockSize, height); y++)
    for (let x = left; x < Math.min(left + blockSize, width); x++) {
      count++;
      for (const channel of sums.keys())
        sums[channel] = (sums[channel] ?? 0) + (data[(y * width + x) * 4 + channel] ?? 0);
    }
  return sums.map((sum) => sum / count);
}
