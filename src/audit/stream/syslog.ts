import { createSocket } from 'node:dgram';
import { connect, isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import type { AuditStreamAt } from '../../config/audit-stream-at.js';
import { AuditOutcome } from '../audit-event.js';
import { SinkFault } from './sink-fault.js';
import type { StreamedEvent } from './streamed-event.js';

const longestMs = 10_000;

/**
 * Sends events to a syslog server: RFC 5424, by TCP (RFC 6587, with the length before each), TLS (RFC 5425) or UDP
 * (RFC 5426). No answer comes back: what was on its way to a server that is lost is lost with it.
 */
export class Syslog {
  readonly name: string;
  #socket: Socket | undefined;

  constructor(private readonly at: Extract<AuditStreamAt, { kind: 'syslog' }>) {
    this.name = `syslog ${at.host}:${at.port}`;
  }

  async send(events: readonly StreamedEvent[]): Promise<void> {
    const messages = events.map((event) => Buffer.from(messageOf(event)));
    if (this.at.transport === 'udp') return this.#sendEach(messages);
    const framed = messages.flatMap((message) => [Buffer.from(`${message.length} `), message]);
    const socket = (this.#socket ??= await this.#connect());
    try {
      await written(socket, Buffer.concat(framed));
    } catch (error) {
      socket.destroy();
      this.#socket = undefined;
      throw error;
    }
  }

  async #sendEach(messages: readonly Buffer[]): Promise<void> {
    const socket = createSocket(isIP(this.at.host) === 6 ? 'udp6' : 'udp4');
    // What goes wrong with the socket itself is told by an event, and by nothing else.
    const failed = new Promise<never>((_, reject) => socket.on('error', reject));
    const sent = async () => {
      for (const message of messages)
        await new Promise<void>((resolve, reject) =>
          socket.send(message, this.at.port, this.at.host, (error) => (error ? reject(error) : resolve())),
        );
    };
    try {
      await Promise.race([sent(), failed]);
    } finally {
      socket.close();
    }
  }

  #connect(): Promise<Socket> {
    const { host, port, transport } = this.at;
    return new Promise((resolve, reject) => {
      const opened = () => {
        socket.setTimeout(0);
        resolve(socket);
      };
      const name = isIP(host) ? {} : { servername: host };
      const socket =
        transport === 'tls' ? connectTls({ host, port, ...name }, opened) : connect({ host, port }, opened);
      socket.setTimeout(longestMs, () => socket.destroy(new SinkFault('the syslog server does not answer')));
      socket.unref();
      // Nothing is to come from there; unread, the end of the connection would not be noticed.
      socket.resume();
      socket.on('error', reject);
      socket.on('close', () => {
        if (this.#socket === socket) this.#socket = undefined;
      });
    });
  }

  close(): Promise<void> {
    this.#socket?.destroy();
    return Promise.resolve();
  }
}

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new SinkFault('the syslog server takes nothing')), longestMs);
    socket.write(bytes, (error) => {
      clearTimeout(late);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Facility 13: log audit. RFC 5424, section 6.2.1 */
const facility = 13;
const severity: Readonly<Record<AuditOutcome, number>> = {
  [AuditOutcome.DONE]: 5,
  [AuditOutcome.REFUSED]: 4,
  [AuditOutcome.FAILED]: 3,
};

/** RFC 5424, section 6: the action is the MSGID, and the event as JSON the message. */
function messageOf({ outcome, action, time, text }: StreamedEvent): string {
  const host =
    hostname()
      .replace(/[^!-~]/g, '')
      .slice(0, 255) || '-';
  const id = action.replace(/[^!-~]/g, '').slice(0, 32) || '-';
  return `<${facility * 8 + severity[outcome]}>1 ${time} ${host} keyway ${process.pid} ${id} - ${text}`;
}
