import { setTimeout as sleep } from 'node:timers/promises';

/** One line of what is served at /metrics. */
export interface Sample {
  /** As it is served: of a histogram with `_bucket`, `_sum` or `_count`. */
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Where a server says that its metrics are. */
export const metricsOf = ({ logged }: { logged: readonly string[] }): string => {
  const found = logged.flatMap((line) => /"metrics":"(http:[^"]+)"/.exec(line)?.[1] ?? []);
  return found.at(-1) ?? '';
};

/** What is served there now. */
export async function scrape(address: string): Promise<{ text: string; samples: Sample[] }> {
  const text = await (await fetch(address)).text();
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = '', labels = '', value]) => ({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', of = '']) => [label, of]),
      ),
      value: Number(value),
    }),
  );
  return { text, samples };
}

/** The value of one series, by its name and all of its labels; undefined where there is none. */
export async function valueOf(
  address: string,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const { samples } = await scrape(address);
  const same = (sample: Sample) =>
    sample.name === name &&
    Object.keys(sample.labels).length === Object.keys(labels).length &&
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  return samples.find(same)?.value;
}

/** Waits until something is so; a minute, and then goes on with what there is. */
export async function untilSo<Found>(
  read: () => Promise<Found>,
  isSo: (found: Found) => boolean,
): Promise<Found> {
  let found = await read();
  for (let waited = 0; !isSo(found) && waited < 60_000; waited += 100) {
    await sleep(100);
    found = await read();
  }
  return found;
}
