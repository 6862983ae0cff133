import { readFileSync } from 'node:fs';
import { expectGood } from '../../src/connectors/answers.js';
import type { StoreAnswer } from '../../src/connectors/connector.js';
import * as ncloud from '../../src/connectors/ncloud/ncloud.js';
import { veracodeCode } from '../../src/connectors/veracode/faults.js';
import * as veracode from '../../src/connectors/veracode/veracode.js';

interface Case {
  system: string;
  status: number;
  headers?: Record<string, string>;
  body: unknown;
  neutral: string;
}

const { cases } = JSON.parse(readFileSync('test/vectors/error-shapes.json', 'utf8')) as { cases: Case[] };

const faults = { ncp: ncloud.ncloudFault, veracode: veracode.veracodeFault };

const answerOf = ({ status, headers = {}, body }: Case): StoreAnswer => ({
  status,
  headers,
  json: body === '' ? undefined : body,
});

const table = cases.flatMap((one) => {
  const { system } = one;
  return system === 'ncp' || system === 'veracode' ? [{ ...one, system } as const] : [];
});

test('the published answers are all there', () => {
  expect(table.filter(({ system }) => system === 'ncp').length).toBeGreaterThanOrEqual(18);
  expect(table.filter(({ system }) => system === 'veracode').length).toBeGreaterThanOrEqual(7);
});

test.each(table.map((one) => [one.neutral, one.system, one.status, JSON.stringify(one.body), one] as const))(
  'reads %s from what %s answers with %s %s',
  (neutral, system, _, __, one) => {
    expect(faults[system](answerOf(one))).toBe(neutral);
  },
);

test('says nothing of what the store wrote', () => {
  const text = 'made-up text';
  for (const one of table) {
    const error = thrown(() => expectGood(answerOf(one), faults[one.system]));
    expect(`${error.message} ${String(error.cause)}`).not.toContain(text);
  }
});

const [one, other] = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
test.each([
  [one, one],
  [`${one}, ${other}`, `${one} ${other}`],
  [`${one},${other}`, `${one} ${other}`],
  [[one, other], `${one} ${other}`],
  [`${one}, a secret`, null],
  [Array(5).fill(one).join(), null],
  ['', null],
])('keeps the ids of a conversation of Veracode’s for the log: %j', (header, word) => {
  const headers = { 'x-conversation-id': header };
  expect(veracodeCode({ status: 500, headers, json: undefined })).toBe(word);
});

test('passes on how long the store asks to be left alone', () => {
  const one = table.find(({ status, system }) => status === 429 && system === 'veracode');
  expect(thrown(() => one && expectGood(answerOf(one), veracode.veracodeFault))).toMatchObject({
    fault: 'RATE_LIMITED',
    retryAfterMs: 17_000,
  });
});

test('reads a refusal of Veracode that came with a good status', () => {
  const refusal = { http_code: 401, http_status: 'Unauthorized', message: 'made-up text' };
  expect(veracode.veracodeFault({ status: 200, headers: {}, json: refusal })).toBe('UNAUTHENTICATED');
  const errors = { _embedded: { api_errors: [{ code: 'NOT_FOUND', status: '404' }] } };
  expect(veracode.veracodeFault({ status: 200, headers: {}, json: errors })).toBe('NOT_FOUND');
  expect(veracode.veracodeFault({ status: 200, headers: {}, json: { status: '404' } })).toBeUndefined();
});

test.each([
  [200, { accessKey: 'A' }, undefined],
  [204, undefined, undefined],
  [401, undefined, 'UNAUTHENTICATED'],
  [401, '<html>', 'UNAUTHENTICATED'],
  [401, { errorCode: 'made-up' }, 'UNAUTHENTICATED'],
  [400, { errorCode: 401 }, 'INVALID_INPUT'],
  [500, [null], 'UPSTREAM_ERROR'],
])('reads %s with %j of NAVER Cloud by its status alone', (status, json, fault) => {
  expect(ncloud.ncloudFault({ status, headers: {}, json })).toBe(fault);
});

function thrown(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
