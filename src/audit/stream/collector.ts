import { readFileSync } from 'node:fs';
import type { AuditStreamAt } from '../../config/audit-stream-at.js';
import { Secret } from '../../secret.js';
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
    return Secret.of(readFileSync(this.at.tokenFile, 'utf8').trim());
  }

  close(): Promise<void> {
    this.#closing.abort();
    return Promise.resolve();
  }
}
