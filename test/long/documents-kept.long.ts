import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readyPlace, spawnKeyway, urlOf } from '../support/process.js';
import { doorTo } from '../support/server.js';

// What a server keeps of twenty thousand different documents, in a process of its own.

const documents = 20_000;
const atOnce = 8;

/** The memory of a process, in MiB. */
const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

/** Some of every sort: short and long, with texts and long names in them, and such that do not fit. */
function documentOf(number: number): string {
  const name = `a${number}${'x'.repeat((number * 7) % 180)}`;
  const fields = Array.from({ length: 1 + (number % 15) }, (_, index) => `b${number}x${index}: name`).join(
    ' ',
  );
  return [
    `query ${name} { viewer { ${fields} } }`,
    `{ viewer { ${name}: id parent { id ${fields} } } } # ${name}`,
    `query Q${number}($first: Int = ${1 + (number % 50)}) { viewer { ${fields} } credentials(first: $first) { totalCount } }`,
    `{ account(name: "${name.slice(0, 60)}") { id } } ${','.repeat(number % 3_000)}`,
    `{ viewer { id nowhere${number} } }`,
  ][number % 5] as string;
}

const fits = (number: number) => number % 5 !== 4;

test('S3: its memory stops growing, however many different documents it is asked', async () => {
  const place = await readyPlace();
  const keyway = spawnKeyway(['serve'], place.environment);
  try {
    const door = doorTo(await urlOf(keyway), readFileSync(join(place.folder, 'admin-token'), 'utf8').trim());
    const resident: number[] = [];
    let next = 0;
    const askAll = async (end: number) => {
      while (next < end) {
        const number = next++;
        const query = documentOf(number);
        // Every second time once more: by then it is compiled.
        for (let time = 0; time <= number % 2; time++)
          expect((await door.ask(query)).status).toBe(fits(number) ? 200 : 400);
      }
    };
    for (let end = 1_000; end <= documents; end += 1_000) {
      await Promise.all(Array.from({ length: atOnce }, () => askAll(end)));
      resident.push(Math.round(residentOf(keyway.child.pid ?? 0)));
    }
    console.info(`MiB after each thousand: ${resident.join(' ')}`);
    const [first, second] = [resident.slice(5, 12), resident.slice(13)].map((part) => Math.max(...part));
    expect(second).toBeLessThan((first ?? 0) * 1.1);
  } finally {
    keyway.child.kill();
    await keyway.ended;
    await place.drop();
  }
}, 900_000);
