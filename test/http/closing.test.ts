/**
 * @embedded the port that HTTP comes in by
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { watchConnections } from '../../src/http/closing.js';

/** Sends a request, says so in shared memory once it is sent, and what came of it by message. */
const caller = `
  const { parentPort, workerData } = require('node:worker_threads');
  const sent = new Int32Array(workerData.sent);
  const socket = require('node:net').connect(workerData.port, '127.0.0.1');
  socket.once('error', ({ code }) => parentPort.postMessage(code));
  socket.once('data', (data) => {
    parentPort.postMessage(String(data).slice(0, 15));
    socket.destroy();
  });
  socket.write('GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n', () => {
    Atomics.store(sent, 0, 1);
    Atomics.notify(sent, 0);
  });`;

test('R26: who came while the event loop was held is answered before the port closes', async () => {
  const server = createServer((_, response) => void response.end('done'));
  const closing = watchConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sent = new SharedArrayBuffer(4);
  const worker = new Worker(caller, { eval: true, workerData: { port, sent } });
  const answered = once(worker, 'message');

  const closed = closing.close({ idleMs: 0, slowestMs: 10_000 });
  // Held until the request is sent: nothing has taken its connection by then.
  Atomics.wait(new Int32Array(sent), 0, 0);
  expect(await answered).toEqual(['HTTP/1.1 200 OK']);
  await closed;
  await worker.terminate();
});
