import { Secret } from '../../secret.js';
import { CommandFailure, exitCodes, wrongUsage } from '../failure.js';
import type { Terminal } from './terminal.js';

/**
 * What a person types, or what standard input holds, a line for each question: a secret is never an argument, which all
 * users of a machine can see.
 */
export class Questions {
  readonly #terminal: Terminal;
  #lines: string[] | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Whether somebody can be asked. */
  get isPerson(): boolean {
    return this.#terminal.input.isTTY === true && this.#terminal.err.isTerminal;
  }

  /**
   * A secret: typed without being shown, or else the next line of standard input.
   * @param name what is asked for
   * @throws BAD_USER_INPUT where there is no such line
   */
  async secret(name: string): Promise<Secret> {
    const text = this.isPerson ? await this.#typed(`${name}: `, false) : await this.#line();
    if (text === undefined || text === '')
      throw wrongUsage(name, 'must be typed, or be a line of standard input');
    return Secret.of(text);
  }

  /** What a person answers; undefined where there is nobody to ask. */
  async answer(question: string): Promise<string | undefined> {
    return this.isPerson ? this.#typed(question, true) : undefined;
  }

  /** All of standard input, for a command that takes it whole. */
  async whole(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#terminal.input) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8');
  }

  async #line(): Promise<string | undefined> {
    this.#lines ??= (await this.whole()).split(/\r?\n/);
    return this.#lines.shift();
  }

  #typed(question: string, isShown: boolean): Promise<string> {
    const { input, err } = this.#terminal;
    err.write(question);
    input.setRawMode?.(true);
    return new Promise((resolve, reject) => {
      let text = '';
      const end = (done: () => void) => {
        input.off('data', hear);
        input.setRawMode?.(false);
        input.pause();
        err.write('\n');
        done();
      };
      const hear = (data: Buffer | string) => {
        for (const key of String(data)) {
          if (key === '\r' || key === '\n') return end(() => resolve(text));
          if (key === endOfText || (key === endOfInput && text === ''))
            return end(() => reject(interrupted()));
          if (key === rubOut || key === backspace) text = [...text].slice(0, -1).join('');
          else if (key === dropLine) text = '';
          else if (key >= ' ') text += key;
          if (isShown && key >= ' ' && key !== rubOut) err.write(key);
        }
      };
      input.on('data', hear);
      input.resume();
    });
  }
}

// What a terminal sends for Ctrl-C, Ctrl-D, Ctrl-H, Ctrl-U and the key that rubs out.
const [endOfText, endOfInput, backspace, dropLine, rubOut] = ['\u0003', '\u0004', '\b', '\u0015', '\u007f'];

const interrupted = () =>
  new CommandFailure('INTERRUPTED', 'Nothing was done.', { exitCode: exitCodes.failed });
