import { setTimeout as sleep } from 'node:timers/promises';
import { KeywayError } from '../src/errors.js';
import { openLog } from '../src/log.js';
import { Secret } from '../src/secret.js';

/** What one call writes. */
function lineOf(write: (log: ReturnType<typeof openLog>) => void): string {
  const lines: string[] = [];
  write(openLog('info', { write: (line) => void lines.push(line) }));
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

const fieldsOf = (line: string) => JSON.parse(line) as Record<string, unknown>;
const hostile = ['\n', '\r\n', '\u0000', '\u001b[31m', '\u0085', '\u2028', '\u2029', '\u007f'];

test.each(hostile.map((text) => [JSON.stringify(text), text]))('S51: %s makes no second line', (_, text) => {
  const line = lineOf((log) =>
    log.info(
      { text: `a${text}{"level":"fatal"}`, [`key${text}`]: 1, deep: { list: [text] } },
      `said ${text}`,
    ),
  );
  expect(line.replace(/\n$/, '')).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
  expect(fieldsOf(line)['level']).toBe('info');
});

test('S51: texts are cut to 1 KiB, messages and keys too', () => {
  const long = 'x'.repeat(5_000);
  const line = lineOf((log) => log.info({ long, list: [long], [long]: 1 }, long));
  expect(line.length).toBeLessThan(5_000);
  const fields = fieldsOf(line);
  expect(fields['long']).toBe(`${'x'.repeat(1024)}…`);
  expect(fields['msg']).toBe(`${'x'.repeat(1024)}…`);
});

test('a secret prints as a placeholder, however deep', () => {
  const secret = Secret.of('hunter2-hunter2');
  const line = lineOf((log) => log.info({ secret, deep: { list: [secret] } }, 'x'));
  expect(line).not.toContain('hunter2');
  expect(line.match(/\[secret\]/g)).toHaveLength(2);
});

test('lines are written several at once, and soon; a warning takes all before it along at once', async () => {
  const flushed: number[] = [];
  let [written, calls] = [0, 0];
  const flush = () => {
    calls++;
    if (flushed.at(-1) !== written) flushed.push(written);
  };
  const log = openLog('info', { write: () => written++, flush });
  for (let count = 0; count < 10; count++) log.child({ id: count }).info('x');
  expect(flushed).toEqual([]);
  // Once more than there was something to flush, as the one before may have come in the middle of a write; then no more.
  while (calls < 2) await sleep(5);
  expect(flushed).toEqual([10]);
  await sleep(250);
  expect(calls).toBe(2);
  log.debug('not written, and so not flushed');
  log.info('y');
  log.warn('z');
  log.error('z');
  expect(flushed).toEqual([10, 12, 13]);
});

test('an error is told by name, code and place, never by message or parameters', () => {
  const cause = Object.assign(new Error('duplicate key value (hunter2)'), {
    code: '23505',
    constraint: 'accounts_name',
    parameters: ['hunter2'],
  });
  const line = lineOf((log) =>
    log.error({ error: new KeywayError('UNAVAILABLE', 'hunter2', { cause }) }, 'x'),
  );
  expect(line).not.toContain('hunter2');
  expect(fieldsOf(line)['error']).toMatchObject({
    name: 'KeywayError',
    code: 'UNAVAILABLE',
    cause: { name: 'Error', code: '23505', constraint: 'accounts_name' },
  });
});

test('what is too deep or goes in a circle does no harm', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  expect(lineOf((log) => log.info({ circle }, 'x'))).toContain('[deep]');
});
