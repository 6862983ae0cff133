/**
 * Begins so much in one turn of the event loop, and the rest in the turns after it, in the order in which it came. What
 * comes in with one turn would else all begin before anybody is answered, those too who are only to be refused.
 * @param most how much begins in a turn
 */
export function aFewInATurn(most: number): (begin: () => void) => void {
  const waiting: (() => void)[] = [];
  let begun = 0;
  const next = () => {
    begun = 0;
    if (waiting.length === 0) return;
    setImmediate(next);
    while (begun < most && waiting.length > 0) {
      begun++;
      waiting.shift()?.();
    }
  };
  return (begin) => {
    if (begun === 0) setImmediate(next);
    if (begun === most || waiting.length > 0) return void waiting.push(begin);
    begun++;
    begin();
  };
}
