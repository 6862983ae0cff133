/**
 * @embedded the port that HTTP comes in by
 */
import { jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { endStalled } from '../../src/http/connections.js';
import { parseId } from '../../src/ids.js';
import { holdReads } from '../support/held-reads.js';
import { expectData, makeAccount } from '../support/make.js';
import { startTestServer } from '../support/server.js';

const node = '{ node(id: ID) { id } }';

test('R22: who waits for an answer longer than a connection may be still gets the answer', async () => {
  const stilled: (() => void)[] = [];
  const setting = jest.spyOn(Server.prototype, 'setTimeout').mockImplementation(function (this: Server) {
    this.on('connection', (socket: Socket) =>
      socket.once('timeout', () => stilled.splice(0).forEach((tell) => tell())),
    );
    setting.mockRestore();
    return this.setTimeout(100);
  });
  const server = await startTestServer();
  try {
    const id = await makeAccount(server);
    const held = holdReads(server.db, parseId(id)?.uuid ?? '');
    const answer = server.ask(node.replace('ID', JSON.stringify(id)));
    await held.standing(1);
    await new Promise<void>((tell) => stilled.push(tell));
    held.end();
    held.releaseAll();
    expect(expectData(await answer).node).toEqual({ id });
  } finally {
    await server.stop();
  }
});

test.each([
  ['does not take its answer', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
  ['stops in the middle of what it sends', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf'],
])('R22: a caller that %s is not waited for', async (_, sent) => {
  const server = createServer((request, response) => {
    request.resume().once('end', () => void response.end(Buffer.alloc(64 * 1024 * 1024)));
  });
  endStalled(server, 100);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ended = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
  const caller = connect(port, '127.0.0.1').pause();
  caller.on('error', () => undefined);
  caller.write(sent);
  await ended;
  caller.destroy();
  server.close();
});
