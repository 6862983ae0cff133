/** Something that was asked of a system, and what came of it. */
export interface Operation<State> {
  /** When it was asked, and when its answer was there, by one clock; never, where nobody knows what came of it. */
  readonly asked: number;
  readonly answered: number;
  /** What a reader of a failure is told. */
  readonly told: string;
  /** The state that it leaves where it happens in this one; undefined where its answer would be another one then. */
  apply(state: State): State | undefined;
}

/**
 * Whether there is an order of the operations in which each happens between its question and its answer, and has the answer
 * that it would have then: M. Herlihy and J. Wing, Linearizability (1990). An operation without an answer may happen at any
 * time after it was asked, or never.
 * @param start the state before; states are compared as JSON
 */
export function hasLegalOrder<State>(start: State, operations: readonly Operation<State>[]): boolean {
  const tried = new Set<string>();
  const search = (state: State, left: readonly Operation<State>[]): boolean => {
    if (left.every(({ answered }) => answered === Infinity)) return true;
    const key = JSON.stringify([state, left.map((one) => operations.indexOf(one))]);
    if (tried.has(key)) return false;
    tried.add(key);
    const firstAnswer = Math.min(...left.map(({ answered }) => answered));
    return left.some((one) => {
      // One that was asked only when another had its answer comes after that.
      if (one.asked > firstAnswer) return false;
      const next = one.apply(state);
      return (
        next !== undefined &&
        search(
          next,
          left.filter((other) => other !== one),
        )
      );
    });
  };
  return search(start, operations);
}
