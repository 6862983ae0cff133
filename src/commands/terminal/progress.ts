import { plain } from './plain.js';
import { coloured, type Terminal } from './terminal.js';

/** A line that is written over as work goes on; where no person looks on, there is none. */
export class Progress {
  readonly #terminal: Terminal;
  #isThere = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  tell(text: string): void {
    const { err } = this.#terminal;
    if (!err.isTerminal) return;
    this.#isThere = true;
    err.write(
      `\r\u001b[K${coloured(this.#terminal, 'err', 'dim', plain(text).slice(0, (err.columns ?? 80) - 1))}`,
    );
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isThere) this.#terminal.err.write('\r\u001b[K');
    this.#isThere = false;
  }
}
