import { codes, DatabaseUnavailable, KeywayError, type Code } from '../src/errors.js';

const framesOf = (error: Error) => (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));

test('an error that is an answer to a caller has no stack, which a thousand in one answer would be slow to write', () => {
  const answers = (Object.keys(codes) as Code[]).filter((code) => code !== 'INTERNAL_SERVER_ERROR');
  for (const code of answers) expect(framesOf(new KeywayError(code))).toEqual([]);
  expect(framesOf(new DatabaseUnavailable('lost'))).toEqual([]);
});

test('what is wrong inside has its stack, as has the cause of an answer, and whatever is thrown after one', () => {
  const cause = new Error('a bug');
  const answer = new KeywayError('UNAVAILABLE', undefined, { cause });
  expect(framesOf(new Error('another bug')).length).toBeGreaterThan(0);
  expect(framesOf(new KeywayError('INTERNAL_SERVER_ERROR')).length).toBeGreaterThan(0);
  expect(framesOf(answer.cause as Error).length).toBeGreaterThan(0);
});

test('whoever reads the stack of an answer, as graphql-js does of each, has none made up', () => {
  const usual = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  let made = 0;
  Error.prepareStackTrace = () => `made ${++made}`;
  try {
    expect(new KeywayError('NOT_FOUND').stack).toBe(`KeywayError: ${codes.NOT_FOUND}`);
    expect(made).toBe(0);
    expect(new Error('a bug').stack).toBe('made 1');
  } finally {
    if (usual) Object.defineProperty(Error, 'prepareStackTrace', usual);
    else Reflect.deleteProperty(Error, 'prepareStackTrace');
  }
});
