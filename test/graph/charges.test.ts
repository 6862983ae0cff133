import { GraphQLError } from 'graphql';
import { unlimited, type RequestContext } from '../../src/access/context.js';
import { KeywayError, type Code } from '../../src/errors.js';
import { failures } from '../../src/graph/charges.js';

test('S6: each error that refuses something or finds nothing is counted, and no other', async () => {
  const counted: number[] = [];
  const allowance = { ...unlimited, countFailures: async (count: number) => void counted.push(count) };
  const listener = await failures.requestDidStart?.({} as never);
  const meet = (...codes: Code[]) => {
    const errors = codes.map((code) => new GraphQLError('', { originalError: new KeywayError(code) }));
    const contextValue = { allowance } as unknown as RequestContext;
    return listener?.didEncounterErrors?.({ errors, contextValue } as never);
  };
  await meet('FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'NOT_FOUND');
  await meet('UNAVAILABLE');
  expect(counted).toEqual([3]);
});
