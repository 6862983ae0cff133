/** Who something in a line is for, from the top: the tenant, the account within it, and for whom that asks, if it tells. */
export type Whose = readonly string[];

/**
 * What waits, for several that are served in turn: each tenant once, and within its turn the next of its accounts; for
 * one account in the order in which it came. However much one has waiting, it holds up another by one.
 */
export class FairLine<Item> {
  readonly #own: Item[] = [];
  /** Whether what is for no part had its turn last. */
  #hadOwn = false;
  /** In the order of their turns. */
  readonly #parts = new Map<string, FairLine<Item>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add([first, ...below]: Whose, item: Item): void {
    this.#size++;
    if (first === undefined) return void this.#own.push(item);
    const part = this.#parts.get(first) ?? new FairLine<Item>();
    this.#parts.set(first, part);
    part.add(below, item);
  }

  /** Takes out what comes next; undefined where nothing waits. */
  next(): Item | undefined {
    const [first] = this.#parts;
    this.#hadOwn = this.#own.length > 0 && !(this.#hadOwn && first);
    if (this.#hadOwn || !first) return this.#counted(this.#own.shift());
    const [name, part] = first;
    const item = part.next();
    this.#parts.delete(name);
    // Behind those who wait as well.
    if (part.size > 0) this.#parts.set(name, part);
    return this.#counted(item);
  }

  /** Takes out what came last of the one who has most waiting; undefined where nothing waits. */
  drop(): Item | undefined {
    let longest: [string, FairLine<Item>] | undefined;
    for (const each of this.#parts) if (!longest || each[1].size > longest[1].size) longest = each;
    if (!longest || this.#own.length > longest[1].size) return this.#counted(this.#own.pop());
    const [name, part] = longest;
    const item = part.drop();
    if (part.size === 0) this.#parts.delete(name);
    return this.#counted(item);
  }

  /** Takes out what waits no more. @returns whether it was still there. */
  remove([first, ...below]: Whose, item: Item): boolean {
    const part = first === undefined ? undefined : this.#parts.get(first);
    const at = first === undefined ? this.#own.indexOf(item) : -1;
    if (at < 0 && !part?.remove(below, item)) return false;
    if (at >= 0) this.#own.splice(at, 1);
    if (first !== undefined && part?.size === 0) this.#parts.delete(first);
    this.#size--;
    return true;
  }

  #counted(item: Item | undefined): Item | undefined {
    if (item !== undefined) this.#size--;
    return item;
  }
}
