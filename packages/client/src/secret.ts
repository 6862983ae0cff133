/**
 * A secret that does not show itself: not when it is logged, not in JSON, not as a part of a text. Only `expose()` tells it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plain secret. */
  expose(): string {
    return this.#value;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  /** What `console.log` of Node shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Secret(${hidden})`;
  }
}

const hidden = '[secret]';
