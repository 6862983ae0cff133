import { readFileSync } from 'node:fs';
import type { AuditStreamAt } from '../../config/audit-stream-at.js';
import { Secret, utf8 } from '../../secret.js';
import { SinkFault } from './sink-fault.js';
import type { StreamedEvent } from './streamed-event.js';

const longestMs = 10_000;

/**
 * Posts events to an HTTP collector, many at once, in the form of CloudEvents' batches
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#33-batched-content-mode).
 * They are taken when it answers with 2xx.
 */
export class Collector {
  readonly name: string;
  readonly #closing = new AbortController();

  constructor(private readonly at: Extract<AuditStreamAt, { kind: 'collector' }>) {
    this.name = new URL(at.url).origin;
  }

  async send(events: readonly StreamedEvent[]): Promise<void> {
    const token = this.#token();
    const response = await fetch(this.at.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/cloudevents-batch+json; charset=utf-8',
        ...(token && { authorization: `Bearer ${token.expose()}` }),
      },
      body: `[${events.map(({ text }) => text).join(',')}]`,
      redirect: 'error',
      signal: AbortSignal.any([AbortSignal.timeout(longestMs), this.#closing.signal]),
    });
    // What it says is of no use, and may be anything.
    await response.body?.cancel();
    if (!response.ok) throw new SinkFault(`the collector answers with ${response.status}`);
  }

  /** Read each time: a token that is renewed is in the file from then on. */
  #token(): Secret | undefined {
    if (this.at.tokenFile === undefined) return undefined;
    const token = utf8(readFileSync(this.at.tokenFile))?.trim() ?? '';
    // Of anything else a header would carry other bytes than the file has.
    if (!/^[!-~]+$/.test(token))
      throw new SinkFault('the file of KEYWAY_AUDIT_STREAM_TOKEN_FILE holds no token');
    return Secret.of(token);
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }
}
