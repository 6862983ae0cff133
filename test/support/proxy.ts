import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A door to a PostgreSQL server which a test can lead elsewhere, and through which it can break connections. */
export interface Proxy {
  /** The address of the server, by way of the proxy. */
  readonly url: string;
  /** Where new connections lead from now on; those that stand are broken. */
  leadTo(url: string): void;
  /** The answer to the first statement of the next new connection ends with this, and the connection with it. */
  endNextWith(bytes: Buffer): void;
  /** From now on nothing more goes by the connections that stand, either way, and nobody is told; new ones work. */
  forgetStanding(): void;
  /** What the server says arrives so much later from now on. */
  delay(ms: number): void;
  stop(): Promise<void>;
}

/** @param at the port that it listens on; one that is free, where left out */
export async function openProxy(url: string, at = 0): Promise<Proxy> {
  let target = new URL(url);
  let last: Buffer | undefined;
  let delayMs = 0;
  let standing = { isForgotten: false };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((caller) => {
    keep(caller);
    const other = keep(connect(Number(target.port || 5432), target.hostname));
    const ending = last;
    last = undefined;
    let answers = 0;
    const own = standing;
    const gone = () => own.isForgotten;
    caller.on('data', (data) => void (gone() || other.write(data)));
    const answer = (data: Buffer) => {
      if (gone()) return;
      if (!ending || !data.subarray(-6).equals(readyForQuery) || ++answers === 1) caller.write(data);
      // In one piece, so that the client has no turn between being ready and being lost.
      else caller.end(Buffer.concat([data, ending]));
    };
    other.on('data', (data: Buffer) => void (delayMs > 0 ? setTimeout(answer, delayMs, data) : answer(data)));
    other.on('close', () => void (gone() || caller.destroy()));
    caller.on('close', () => void (gone() || other.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href,
    leadTo: (other) => {
      target = new URL(other);
      for (const socket of sockets) socket.destroy();
    },
    forgetStanding: () => {
      standing.isForgotten = true;
      standing = { isForgotten: false };
    },
    delay: (ms) => void (delayMs = ms),
    endNextWith: (bytes) => void (last = bytes),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: ReadyForQuery, idle. */
const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** What a server says that shuts down: ErrorResponse, FATAL, 57P01. */
export const shutDown = (() => {
  const fields = ['SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command', ''];
  const body = Buffer.from(`${fields.join('\0')}\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
})();
