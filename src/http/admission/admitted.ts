import { overloaded } from '../../errors.js';
import type { Places } from './places.js';

/** A request that was let in: it has a place until its answer is sent or its connection ends. */
export class Admitted {
  readonly #names: string[];
  #hasPlace = true;
  #isOver = false;
  /** How much of it is done elsewhere just now. */
  #elsewhere = 0;

  /** @param revokesAlone whether the place is one of those that are kept for revoking */
  constructor(
    private readonly places: Places,
    address: string,
    readonly revokesAlone: boolean,
  ) {
    this.#names = [address];
    places.take(this.#names);
  }

  /** Counts it for its tenant as well. @throws UNAVAILABLE where that has as many under way as it may. */
  countFor(tenant: string): void {
    if (!this.#hasPlace) return;
    if (!this.places.mayHave(tenant)) throw overloaded();
    this.places.countFor(tenant);
    this.#names.push(tenant);
  }

  /** Gives the place up while the body is on its way: whoever sends slowly holds up nobody. */
  awaitBody(): void {
    this.#leave();
  }

  /** Takes a place for what comes once the body is there. @throws UNAVAILABLE where there is none. */
  readBody(): void {
    if (this.#hasPlace || this.#isOver) return;
    if (!this.places.haveRoom(this.#names)) throw overloaded();
    this.#return();
  }

  /** Does what waits for others, without a place. Back from there it has one whatever the others have: it has begun. */
  async elsewhere<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#elsewhere++ === 0) this.#leave();
    try {
      return await work();
    } finally {
      if (--this.#elsewhere === 0) this.#return();
    }
  }

  end(): void {
    this.#isOver = true;
    this.#leave();
  }

  #leave(): void {
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    this.places.giveBack(this.#names);
  }

  #return(): void {
    if (this.#hasPlace || this.#isOver) return;
    this.#hasPlace = true;
    this.places.take(this.#names);
  }
}
