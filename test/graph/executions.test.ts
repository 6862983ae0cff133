/**
 * @embedded executions
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApolloServer } from '@apollo/server';
import { buildSchema } from 'graphql';
import type { RequestContext } from '../../src/access/context.js';
import { mostGrowth, mostPointsUnderWay, quickQueryMs, slowQueryMs } from '../../src/config/limits.js';
import { Executions, executionsInTurn } from '../../src/graph/executions.js';
import { Turns } from '../../src/graph/turns.js';
import { gate } from '../support/on-the-way.js';

const staying = () => new AbortController().signal;
const left = expect.objectContaining({ code: 'UNAVAILABLE' }) as Error;

/** Takes as long as changes no bound. */
const usualMs = (quickQueryMs + slowQueryMs) / 2;

/**
 * Asks for executions, and tells which have begun.
 * @param tookMs how long each takes
 */
function asking(tookMs = usualMs) {
  const clock = { now: 0, tookMs };
  const executions = new Executions(new Turns(), () => clock.now);
  const begun: string[] = [];
  const ends = new Map<string, (hasFailed: boolean) => void>();
  const ask = async (caller: string, cost: number, name: string, signal = staying(), isQuery = true) => {
    ends.set(name, await executions.begin(caller.split('/'), { cost, isQuery }, signal));
    begun.push(name);
  };
  const end = (name: string, hasFailed = false) => {
    clock.now = clock.tookMs;
    ends.get(name)?.(hasFailed);
    clock.now = 0;
  };
  /** What has begun, once everybody has had a turn who may. */
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    return begun;
  };
  return { ask, settled, end, clock };
}

describe('S3: what one caller has in execution', () => {
  test('holds up its next operation, in the order that they came in, and no other caller', async () => {
    const { ask, settled, end } = asking();
    const all = [
      ask('one', mostPointsUnderWay, 'heavy'),
      ask('one', mostPointsUnderWay, 'second'),
      ask('one', 1, 'light'),
      ask('other', mostPointsUnderWay, 'of another'),
    ];
    expect(await settled()).toEqual(['heavy', 'of another']);
    end('heavy');
    expect(await settled()).toEqual(['heavy', 'of another', 'second']);
    end('second');
    expect(await settled()).toEqual(['heavy', 'of another', 'second', 'light']);
    await Promise.all(all);
  });

  test('may be several while they are below the bound, and one that is above it by itself', async () => {
    const { ask, settled, end } = asking();
    const all = [
      ask('one', mostPointsUnderWay - 1, 'first'),
      ask('one', 10 * mostPointsUnderWay, 'largest'),
      ask('one', 0, 'free'),
    ];
    expect(await settled()).toEqual(['first', 'largest']);
    end('first');
    expect(await settled()).toEqual(['first', 'largest']);
    end('largest');
    expect(await settled()).toEqual(['first', 'largest', 'free']);
    await Promise.all(all);
  });

  test('R25: begins nothing for those who left the line or left before, and lets on those behind them', async () => {
    const { ask, settled, end } = asking();
    const leaving = new AbortController();
    const first = ask('one', mostPointsUnderWay, 'heavy');
    const refused = expect(ask('one', mostPointsUnderWay, 'left', leaving.signal)).rejects.toThrow(left);
    const last = ask('one', 1, 'last');
    expect(await settled()).toEqual(['heavy']);
    leaving.abort();
    await refused;
    await expect(ask('one', 1, 'late', AbortSignal.abort())).rejects.toThrow(left);
    end('heavy');
    expect(await settled()).toEqual(['heavy', 'last']);
    await Promise.all([first, last]);
  });

  test('R25: gives back its room where the caller left while it waited for its turn', async () => {
    const { ask, settled } = asking();
    const leaving = new AbortController();
    const refused = expect(ask('one', mostPointsUnderWay, 'left', leaving.signal)).rejects.toThrow(left);
    leaving.abort();
    await refused;
    void ask('one', 1, 'next');
    expect(await settled()).toEqual(['next']);
  });
});

describe('S3: what one caller may have in execution', () => {
  const half = mostPointsUnderWay / 2;

  /** Ends the next ones, first come first. @returns how many are under way then. */
  async function endNext({ settled, end }: ReturnType<typeof asking>, from: number, count: number) {
    await settled();
    for (let index = from; index < from + count; index++) {
      end(String(index));
      await settled();
    }
    return (await settled()).length - from - count;
  }
  const askMany = ({ ask }: ReturnType<typeof asking>, from: number, count: number, isQuery = true) => {
    for (let index = from; index < from + count; index++)
      void ask('one', half, String(index), staying(), isQuery);
  };

  test('grows while others wait and queries are quick, up to a bound, and falls back where they are slow', async () => {
    const executions = asking(quickQueryMs - 1);
    askMany(executions, 0, 2_000);
    expect(await executions.settled()).toHaveLength(2);
    expect(await endNext(executions, 0, 1)).toBe(3);
    expect(await endNext(executions, 1, 140)).toBeGreaterThan(3);
    expect(await endNext(executions, 141, 1_400)).toBe(2 * mostGrowth);
    executions.clock.tookMs = 2 * slowQueryMs;
    expect(await endNext(executions, 1_541, 1)).toBeGreaterThan(2);
    expect(await endNext(executions, 1_542, 20)).toBe(2);
  });

  test('does not grow where nobody waits, nor by what is no query', async () => {
    const executions = asking(1);
    for (let index = 0; index < 200; index++) {
      askMany(executions, index, 1);
      await executions.settled();
      executions.end(String(index));
    }
    askMany(executions, 200, 100, false);
    expect(await endNext(executions, 200, 90)).toBe(2);
    executions.clock.tookMs = 100 * slowQueryMs;
    expect(await endNext(executions, 290, 4)).toBe(2);
  });

  test('does not grow by what fails', async () => {
    const executions = asking(1);
    askMany(executions, 0, 300);
    for (let index = 0; index < 200; index++) {
      await executions.settled();
      executions.end(String(index), true);
    }
    expect((await executions.settled()).length - 200).toBe(2);
  });

  test('is what it came to, also after a while without any', async () => {
    const executions = asking(1);
    askMany(executions, 0, 200);
    expect(await endNext(executions, 0, 150)).toBeGreaterThan(3);
    expect(await endNext(executions, 150, 50)).toBe(0);
    askMany(executions, 200, 10);
    expect((await executions.settled()).length - 200).toBeGreaterThan(3);
    expect(await endNext(executions, 200, 10)).toBe(0);
  });
});

describe('S3: what all accounts of a tenant have in execution', () => {
  test('leaves room for the others, also where one has come to more and lets nothing end', async () => {
    const executions = asking(1);
    const { ask, settled, end } = executions;
    for (let index = 0; index < 2_000; index++) void ask('one/a', mostPointsUnderWay / 2, `${index}`);
    for (let index = 0; index < 1_900; index++) {
      await settled();
      end(`${index}`);
    }
    // What is left is under way, and more waits behind it.
    for (let index = 0; index < 500; index++) void ask('one/a', 60, `change ${index}`, staying(), false);
    await settled();
    void ask('one/b', 1, 'beside');
    expect(await settled()).toContain('beside');
    expect(await settled()).not.toContain('change 499');
  });

  test('is bounded as well, whatever their number; they are let on in turn, and no other tenant waits', async () => {
    const { ask, settled, end } = asking();
    const all = [
      ...Array.from({ length: 10 }, (_, index) => ask(`one/${index}`, 5 * mostPointsUnderWay, `${index}`)),
      ask('one/2', 1, 'second of 2'),
      ask('other/0', mostPointsUnderWay, 'of another'),
    ];
    expect(await settled()).toEqual(['0', 'of another', '1']);
    for (let index = 0; index < 10; index++) {
      end(`${index}`);
      await settled();
    }
    // A second one of an account is behind one of each other.
    const waited = (await settled()).slice(3);
    expect(waited).toEqual(['2', '3', '4', '5', '6', '7', '8', '9', 'second of 2']);
    await Promise.all(all);
  });

  test('leaves room for the others, whatever one of them asks for', async () => {
    const { ask, settled } = asking();
    const waits = [
      ask('one/a', mostPointsUnderWay - 1, 'first'),
      ask('one/a', 5 * mostPointsUnderWay, 'largest'),
      ask('one/a', 1, 'third'),
      ask('one/b', 5 * mostPointsUnderWay, 'beside'),
    ];
    expect(await settled()).toEqual(['first', 'beside', 'largest']);
    expect(waits).toHaveLength(4);
  });

  test('R25: gives back the room in the account where the caller left the line of the tenant', async () => {
    const { ask, settled, end } = asking();
    const leaving = new AbortController();
    void ask('one/a', mostPointsUnderWay, 'a');
    void ask('one/b', mostPointsUnderWay, 'b');
    const refused = expect(ask('one/c', mostPointsUnderWay, 'left', leaving.signal)).rejects.toThrow(left);
    await settled();
    leaving.abort();
    await refused;
    void ask('one/c', mostPointsUnderWay, 'c');
    void ask('one/d', 1, 'd');
    expect(await settled()).toEqual(['a', 'b']);
    end('a');
    expect(await settled()).toEqual(['a', 'b', 'c']);
  });
});

describe('S3: in the graph', () => {
  const schema = buildSchema('type Query { things(first: Int): [Thing!]! } type Thing { id: ID }');
  const heavy = `{ ${Array.from({ length: mostPointsUnderWay / 100 }, (_, index) => `a${index}: things(first: 100) { id }`).join(' ')} }`;

  /** A graph whose fields each call `resolve`, with one that asks it. */
  function graph(resolve: (caller: string) => unknown) {
    const apollo = new ApolloServer<RequestContext>({
      schema,
      fieldResolver: (_, __, ctx: RequestContext) => resolve(ctx.principal.accountId),
      plugins: [executionsInTurn(new Executions(new Turns()))],
    });
    const ask = async (caller: string, query: string, signal = staying()) => {
      const contextValue = {
        principal: { tenantId: caller, accountId: caller },
        left: signal,
      } as RequestContext;
      const { body } = await apollo.executeOperation({ query }, { contextValue });
      return body.kind === 'single' ? body.singleResult : undefined;
    };
    return { ask, stop: () => apollo.stop() };
  }

  const turnsOver = async () => {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  };

  test('a heavy operation that takes long holds up those of its own caller alone, until its end', async () => {
    const going = gate();
    const resolving = new Set<string>();
    const { ask, stop } = graph(async (caller) => {
      resolving.add(caller);
      await going.opened;
      return [];
    });
    const first = ask('one', heavy);
    await turnsOver();
    expect([...resolving]).toEqual(['one']);
    resolving.clear();
    const leaving = new AbortController();
    const gone = ask('one', heavy, leaving.signal);
    const [second, other] = [ask('one', heavy), ask('other', heavy)];
    await turnsOver();
    expect([...resolving]).toEqual(['other']);
    leaving.abort();
    expect(await gone).toMatchObject({
      errors: [{ message: 'A part cannot be reached just now; nothing was changed.' }],
    });
    going.open();
    for (const answer of await Promise.all([first, second, other])) expect(answer?.errors).toBeUndefined();
    expect([...resolving]).toEqual(['other', 'one']);
    await stop();
  });

  test.each([
    ['fails', heavy],
    ['does not fit the schema', '{ things(first: 100) { nowhere } }'],
    ['cannot be read', '{'],
    ['is none of its document', 'query A { things { id } } query B { things { id } }'],
  ])('one that %s leaves its room to the next', async (_, query) => {
    const { ask, stop } = graph(() => {
      throw new Error('failed');
    });
    for (let count = 0; count < 5; count++) expect((await ask('one', query))?.errors).not.toHaveLength(0);
    expect((await ask('one', '{ __typename }'))?.data).toEqual({ __typename: 'Query' });
    await stop();
  });
});
