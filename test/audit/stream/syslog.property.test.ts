import { createServer, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { AuditOutcome } from '../../../src/audit/audit-event.js';
import { openSink } from '../../../src/audit/stream/sink.js';
import type { StreamedEvent } from '../../../src/audit/stream/streamed-event.js';
import { anyText, expectAlways } from '../../support/property.js';

/** A message as RFC 5424, section 6, has it. */
interface Message {
  priority: number;
  time: string;
  id: string;
  text: string;
}

/** Reads a stream of messages with their lengths before them (RFC 6587, section 3.4.1). @throws where it is none */
function readAll(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, space);
    if (!/^[1-9]\d*$/.test(digits)) throw new Error('no length');
    const end = space + 1 + Number(digits);
    if (end > bytes.length) throw new Error('cut off');
    const message = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(space + 1, end));
    const parts = /^<(\d{1,3})>1 (\S+) ([!-~]{1,255}) keyway (\d{1,128}) ([!-~]{1,32}) - ([\s\S]*)$/.exec(
      message,
    );
    if (!parts) throw new Error('no message');
    const [, priority, time = '', , , id = '', text = ''] = parts;
    messages.push({ priority: Number(priority), time, id, text });
    at = end;
  }
  return messages;
}

const event: fc.Arbitrary<StreamedEvent> = fc.record({
  accountId: fc.uuid(),
  number: fc.nat().map(String),
  outcome: fc.constantFrom(...Object.values(AuditOutcome)),
  action: fc.oneof(anyText, fc.constantFrom('credential:rotate', 'a b', '- -', '')),
  time: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('2099-01-01') })
    .map((date) => date.toISOString()),
  text: fc.oneof(
    anyText,
    anyText.map((text) => JSON.stringify({ text })),
  ),
});

test('syslog has as many messages as events, each whole, whatever is in them: nothing in one begins another', async () => {
  let got = Buffer.alloc(0);
  let expected = 0;
  let arrived = () => undefined as void;
  const tcp = createServer((socket) =>
    socket.on('data', (part) => {
      got = Buffer.concat([got, part]);
      if (got.length >= expected) arrived();
    }),
  );
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as AddressInfo;
  const sink = openSink({ kind: 'syslog', transport: 'tcp', host: '127.0.0.1', port });
  try {
    await expectAlways(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 5 }), async (events) => {
        got = Buffer.alloc(0);
        await sink.send(events);
        // One more tells when all before it has come.
        const last: StreamedEvent = {
          accountId: '',
          number: '0',
          outcome: AuditOutcome.DONE,
          action: 'end',
          time: '2026-01-01T00:00:00Z',
          text: 'the end of it',
        };
        await new Promise<void>((resolve, reject) => {
          arrived = () => (got.toString('latin1').endsWith('the end of it') ? resolve() : undefined);
          expected = 1;
          sink.send([last]).catch(reject);
        });
        const read = readAll(got).slice(0, -1);
        expect(read.map(({ text }) => text)).toEqual(events.map(({ text }) => text));
        const severities = { DONE: 5, REFUSED: 4, FAILED: 3 };
        expect(read.map(({ priority, time }) => [priority, time])).toEqual(
          events.map(({ outcome, time }) => [13 * 8 + severities[outcome], time]),
        );
        expect(read.map(({ id }) => id)).toEqual(
          events.map(({ action }) => action.replace(/[^!-~]/g, '').slice(0, 32) || '-'),
        );
      }),
      60,
    );
  } finally {
    await sink.close();
    tcp.close();
  }
});
