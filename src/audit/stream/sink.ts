import { appendLines, byBytes } from '../append-lines.js';
import type { AuditStreamAt } from '../../config/audit-stream-at.js';
import { Collector } from './collector.js';
import { Syslog } from './syslog.js';
import type { StreamedEvent } from './streamed-event.js';

/** Where the audit log is streamed to. */
export interface AuditSink {
  /** What a person knows it by: no password is in it. */
  readonly name: string;
  /** Hands these over in their order; resolves when they are taken, as far as the way there tells. @throws where not */
  send(events: readonly StreamedEvent[]): Promise<void>;
  /** Whether something of before must be sent again, with the next events or without any. */
  readonly owes?: boolean;
  close(): Promise<void>;
}

export function openSink(at: AuditStreamAt): AuditSink {
  switch (at.kind) {
    case 'stdout':
      return standardOutput;
    case 'file':
      return {
        name: at.path,
        send: async (events) =>
          void (await appendLines(
            at.path,
            events.map(({ text }) => text),
          )),
        close: nothing,
      };
    case 'syslog':
      return new Syslog(at);
    case 'collector':
      return new Collector(at);
  }
}

const nothing = () => Promise.resolve();

/** PIPE_BUF of Linux: https://man7.org/linux/man-pages/man7/pipe.7.html */
const pipeBytes = 4_096;

const standardOutput: AuditSink = {
  name: 'standard output',
  send: async (events) => {
    // A pipe takes so much at once: more could have lines of the log, or of another process, within a line.
    for (const part of byBytes(
      events.map(({ text }) => text),
      pipeBytes,
    ))
      await new Promise<void>((resolve, reject) =>
        process.stdout.write(`${part.join('\n')}\n`, (error) => (error ? reject(error) : resolve())),
      );
  },
  close: nothing,
};
