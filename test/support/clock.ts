import { jest } from '@jest/globals';

const untouched = [
  ...([
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
  ] as const),
  ...(['nextTick', 'queueMicrotask', 'hrtime', 'performance'] as const),
];

/** Does something while the clock of this process is wrong by so many milliseconds, and stands still. */
export async function withProcessClockOff<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
  const { timeOrigin } = performance;
  jest.useFakeTimers({ now: Date.now() + ms, doNotFake: [...untouched] });
  Object.defineProperty(performance, 'timeOrigin', { configurable: true, value: timeOrigin + ms });
  try {
    return await work();
  } finally {
    Reflect.deleteProperty(performance, 'timeOrigin');
    jest.useRealTimers();
  }
}

/** Lets this process believe that it is later, or earlier where negative. Undo it with what is returned. */
export function shiftProcessClock(ms: number): () => void {
  const undoSteady = shiftSteadyClock(ms);
  const realNow = Date.now;
  Date.now = () => realNow() + ms;
  return () => {
    undoSteady();
    Date.now = realNow;
  };
}

/** Moves the clock that intervals are measured by. The database's time, reckoned from it, is to be set anew. */
export function shiftSteadyClock(ms: number): () => void {
  const realNow = performance.now.bind(performance);
  const before = Object.getOwnPropertyDescriptor(performance, 'now');
  Object.defineProperty(performance, 'now', {
    value: () => realNow() + ms,
    configurable: true,
    writable: true,
  });
  return () => {
    if (before) Object.defineProperty(performance, 'now', before);
    else Reflect.deleteProperty(performance, 'now');
  };
}
