import { readFileSync } from 'node:fs';
import * as apinizer from '../../src/connectors/apinizer/apinizer.js';
import type { FaultOf } from '../../src/connectors/answers.js';
import type { StoreAnswer } from '../../src/connectors/connector.js';
import * as landscape from '../../src/connectors/landscape/landscape.js';
import * as seqera from '../../src/connectors/seqera/seqera.js';

interface Shape {
  system: string;
  status: number;
  body: unknown;
  neutral: string;
}

const { cases } = JSON.parse(readFileSync('test/vectors/error-shapes.json', 'utf8')) as { cases: Shape[] };
const readers: Record<string, FaultOf> = {
  landscape: landscape.landscapeFault,
  seqera: seqera.seqeraFault,
  apinizer: apinizer.apinizerFault,
};
const answerOf = ({ status, body }: Pick<Shape, 'status' | 'body'>): StoreAnswer => ({
  status,
  headers: {},
  json: typeof body === 'string' ? undefined : body,
});
const own = cases.filter(({ system }) => system in readers);
const isRemark = ({ neutral }: Shape) => neutral === 'PARTIAL';

test('there are shapes for each of the systems', () => {
  expect(new Set(own.map(({ system }) => system))).toEqual(new Set(Object.keys(readers)));
});

test.each(
  own.filter((shape) => !isRemark(shape)).map((shape) => [shape.system, shape.neutral, shape] as const),
)('an answer of %s means %s', (system, neutral, shape) => {
  expect(readers[system]?.(answerOf(shape))).toBe(neutral);
});

test.each([1, 2, 25_000])(
  'an error of Landscape’s that is wrapped %i times is read without end to it',
  (depth) => {
    let json: unknown = { error: 'UnknownPersonEmails', message: 'made-up text' };
    for (let count = 0; count < depth; count++) json = { error: 'MultiError', errors: [json] };
    const fault = landscape.landscapeFault({ status: 400, headers: {}, json });
    expect(fault).toBe(depth === 1 ? 'NOT_FOUND' : 'INVALID_INPUT');
  },
);

test.each(own.filter(isRemark))('what $system stored but did not deploy everywhere is no error', (shape) => {
  expect(apinizer.apinizerFault(answerOf(shape))).toBeUndefined();
  expect(apinizer.isPartial(answerOf(shape))).toBe(true);
});
