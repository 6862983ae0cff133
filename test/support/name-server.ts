import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** What is answered for a name: its addresses; nothing at all; or that the server failed. */
export type Zone = Record<string, readonly string[] | 'silence' | 'failure'>;

export interface NameServer {
  /** As a resolver takes it. */
  readonly address: string;
  /** The names that it was asked for, each for both kinds of addresses. */
  readonly asked: string[];
  stop(): Promise<void>;
}

const kinds = { ipv4: 1, ipv6: 28 };
const codes = { found: 0, failed: 2, unknown: 3 };

/**
 * A name server on this machine (RFC 1035, section 4) that knows these names, and says of all others that they are none.
 * @param drops the kind of addresses that it does not hear questions for
 */
export async function startNameServer(zone: Zone, drops?: keyof typeof kinds): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const { name, kind, end } = questionIn(query);
    asked.push(name);
    const known = Object.hasOwn(zone, name) ? zone[name] : undefined;
    if (known === 'silence' || (drops && kind === kinds[drops])) return;
    const all = Array.isArray(known) ? known : [];
    const fitting = all.filter((one: string) => one.includes(':') === (kind === kinds.ipv6));
    const code = known === 'failure' ? codes.failed : known ? codes.found : codes.unknown;
    socket.send(answerTo(query.subarray(0, end), kind, code, fitting.map(bytesOf)), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    stop: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function questionIn(query: Buffer): { name: string; kind: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), kind: query.readUInt16BE(at + 1), end: at + 5 };
}

function answerTo(question: Buffer, kind: number, code: number, addresses: readonly Buffer[]): Buffer {
  const header = Buffer.from(question);
  header.writeUInt16BE(0x8180 | code, 2);
  for (const [index, count] of [1, addresses.length, 0, 0].entries())
    header.writeUInt16BE(count, 4 + 2 * index);
  const records = addresses.map((address) => {
    const record = Buffer.alloc(12);
    // The name is the one that was asked for.
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(kind, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(60, 6);
    record.writeUInt16BE(address.length, 10);
    return Buffer.concat([record, address]);
  });
  return Buffer.concat([header, ...records]);
}

/** Of an IPv6 address that is written out, or an IPv4 address. */
const bytesOf = (address: string): Buffer =>
  address.includes(':')
    ? Buffer.from(
        address
          .split(':')
          .map((part) => part.padStart(4, '0'))
          .join(''),
        'hex',
      )
    : Buffer.from(address.split('.').map(Number));
