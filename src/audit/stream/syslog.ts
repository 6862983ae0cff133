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
 * How long what the system has taken may be on its way. A server that ends a connection in order has read what came before:
 * one with unread bytes is reset (RFC 2525, section 2.17).
 */
const onItsWayMs = { reset: 60_000, ended: 5_000 };
const mostBytes = 8 * 1_024 * 1_024;
/** Of a server that ends each connection at once, or as soon as nothing comes, there would be no end. */
const mostTimes = 5;

/** Events that were handed to the system together. */
interface Batch {
  readonly bytes: Buffer;
  atMs: number;
  times: number;
}

/** A connection, and what may still be on its way over it, oldest first. */
interface Connection {
  readonly socket: Socket;
  readonly handed: Batch[];
}

/**
 * Sends events to a syslog server: RFC 5424, by TCP (RFC 6587, with the length before each), TLS (RFC 5425) or UDP
 * (RFC 5426). No answer comes back. By TCP and TLS, what was on its way over a connection that is lost is sent again over
 * the next one; by UDP it is lost.
 */
export class Syslog {
  readonly name: string;
  #connection: Connection | undefined;
  /** What is being opened. */
  #opening: Socket | undefined;
  /** What was on its way over connections that were lost. */
  #owed: Batch[] = [];

  constructor(
    private readonly at: Extract<AuditStreamAt, { kind: 'syslog' }>,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.name = `syslog ${at.host}:${at.port}`;
  }

  get owes(): boolean {
    return this.#owed.length > 0;
  }

  async send(events: readonly StreamedEvent[]): Promise<void> {
    const messages = events.map((event) => Buffer.from(messageOf(event)));
    if (this.at.transport === 'udp') return this.#sendEach(messages);
    const connection = (this.#connection ??= await this.#connect());
    try {
      for (let owed = this.#owed[0]; owed; owed = this.#owed[0]) {
        await this.#handOver(connection, owed);
        this.#owed.shift();
      }
      const framed = messages.flatMap((message) => [Buffer.from(`${message.length} `), message]);
      if (framed.length > 0)
        await this.#handOver(connection, { bytes: Buffer.concat(framed), atMs: 0, times: 0 });
    } catch (error) {
      connection.socket.destroy(error as Error);
      if (this.#connection === connection) this.#connection = undefined;
      throw error;
    }
  }

  async #handOver(connection: Connection, batch: Batch): Promise<void> {
    await written(connection.socket, batch.bytes);
    batch.atMs = this.now();
    batch.times++;
    connection.handed.push(batch);
    let bytes = connection.handed.reduce((sum, one) => sum + one.bytes.length, 0);
    const since = this.now() - onItsWayMs.reset;
    for (let [oldest] = connection.handed; oldest; [oldest] = connection.handed) {
      if (bytes <= mostBytes && oldest.atMs > since) break;
      connection.handed.shift();
      bytes -= oldest.bytes.length;
    }
  }

  #lose(connection: Connection, isReset: boolean): void {
    if (this.#connection === connection) this.#connection = undefined;
    const since = this.now() - (isReset ? onItsWayMs.reset : onItsWayMs.ended);
    const lost = connection.handed.filter(({ atMs, times }) => atMs > since && times < mostTimes);
    this.#owed = [...lost, ...this.#owed];
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

  #connect(): Promise<Connection> {
    const { host, port, transport } = this.at;
    return new Promise((resolve, reject) => {
      const opened = () => {
        socket.setTimeout(0);
        resolve(connection);
      };
      const name = isIP(host) ? {} : { servername: host };
      const socket =
        transport === 'tls' ? connectTls({ host, port, ...name }, opened) : connect({ host, port }, opened);
      this.#opening = socket;
      const connection: Connection = { socket, handed: [] };
      socket.setTimeout(longestMs, () => socket.destroy(new SinkFault('the syslog server does not answer')));
      socket.unref();
      // Nothing is to come from there; unread, the end of the connection would not be noticed.
      socket.resume();
      socket.on('error', reject);
      socket.on('close', (isReset: boolean) => {
        this.#lose(connection, isReset);
        // One that is given up before it is open has no error.
        reject(new SinkFault('the connection was closed'));
      });
    });
  }

  close(): Promise<void> {
    this.#opening?.destroy();
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
