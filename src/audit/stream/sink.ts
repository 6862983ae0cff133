import { appendLines } from '../append-lines.js';
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

const standardOutput: AuditSink = {
  name: 'standard output',
  send: (events) =>
    new Promise((resolve, reject) => {
      const lines = events.map(({ text }) => `${text}\n`).join('');
      process.stdout.write(lines, (error) => (error ? reject(error) : resolve()));
    }),
  close: nothing,
};
