import type { CommandFailure } from './failure.js';
import { askGraph, type Reached } from './door/graph.js';
import { reach } from './door/reach.js';
import { Questions } from './terminal/ask-person.js';
import type { OutputForm } from './terminal/output.js';
import { Progress } from './terminal/progress.js';
import type { Terminal } from './terminal/terminal.js';
import type { Fields } from './terminal/texts.js';

/** The flags that every command has which calls a Keyway. */
export interface CallFlags {
  readonly profile?: string;
  readonly insecure?: true;
  readonly json?: true;
  readonly output?: OutputForm;
}

/** One command at work: whom it calls, whom it asks, and how it answers. */
export class CommandSession {
  readonly terminal: Terminal;
  readonly form: OutputForm;
  readonly questions: Questions;
  readonly progress: Progress;
  /** Why a part of an answer is missing that was given all the same. */
  failure: CommandFailure | undefined;
  readonly #flags: CallFlags;
  #reached: Reached | undefined;

  constructor(terminal: Terminal, flags: CallFlags) {
    this.terminal = terminal;
    this.#flags = flags;
    this.form = flags.json ? 'json' : (flags.output ?? 'table');
    this.questions = new Questions(terminal);
    this.progress = new Progress(terminal);
  }

  /** Asks the Keyway that the flags, the environment or a profile name. @throws as `askGraph` and `reach` do */
  async ask(document: string, variables: Fields = {}): Promise<Fields> {
    const { profile, insecure = false } = this.#flags;
    this.#reached ??= reach(this.terminal.caller, profile, insecure);
    const { data, failure } = await askGraph(this.#reached, document, variables, (waitMs) =>
      this.progress.tell(`The server wants ${Math.ceil(waitMs / 1_000)} s of patience…`),
    );
    this.failure ??= failure;
    return data;
  }
}
