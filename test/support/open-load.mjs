// A load that does not wait: requests are sent when they are due, whether those before were answered or not, as callers who
// know nothing of each other send theirs. It reads what to do from stdin, as JSON, and prints what came of it.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/** @type {{ host: string, port: number, rate: number, seconds: number, texts: string[] }} `texts`: whole requests. */
const { host, port, rate, seconds, texts } = JSON.parse(await text(process.stdin));
const requests = texts.map((each) => Buffer.from(each));
const mostConnections = 1_500;
// What is late here would count as late there.
try {
  setPriority(-10);
} catch {
  // It takes a right that not everybody has.
}

const idle = [];
const latenessMs = [];
const goodMs = [];
const shedMs = [];
const others = {};
let [connections, sent, unsent, answered, withoutRetryAfter, broken] = [0, 0, 0, 0, 0, 0];

function open() {
  connections++;
  const line = { socket: connect(port, host).setNoDelay(), parts: [], wanted: undefined, sinceMs: 0 };
  line.socket.on('data', (part) => receive(line, part));
  line.socket.on('error', () => undefined);
  line.socket.on('close', () => {
    connections--;
    line.isClosed = true;
    if (line.sinceMs > 0) broken++;
    const at = idle.indexOf(line);
    if (at >= 0) idle.splice(at, 1);
  });
  return line;
}

function send(request) {
  const line = idle.pop() ?? (connections < mostConnections ? open() : undefined);
  if (!line) return void unsent++;
  sent++;
  line.sinceMs = performance.now();
  line.socket.write(request);
}

function receive(line, part) {
  const atMs = performance.now();
  line.parts.push(part);
  const bytes = line.parts.length === 1 ? part : Buffer.concat(line.parts);
  line.parts = [bytes];
  if (line.wanted === undefined) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    line.head = bytes.latin1Slice(0, end);
    line.wanted = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(line.head)?.[1]);
  }
  if (bytes.length < line.wanted) return;
  note(line.head, bytes, atMs - line.sinceMs);
  Object.assign(line, { parts: [], wanted: undefined, sinceMs: 0 });
  if (!line.isClosed) idle.push(line);
}

function note(head, bytes, tookMs) {
  answered++;
  const status = head.slice(9, 12);
  if (status === '200' && !bytes.includes('"errors"')) goodMs.push(tookMs);
  else if (status === '503' && bytes.includes('"UNAVAILABLE"')) {
    shedMs.push(tookMs);
    if (!/\r\nretry-after: [1-9]/i.test(head)) withoutRetryAfter++;
  } else others[status] = (others[status] ?? 0) + 1;
}

// Who calls a server all the time is connected to it. What connecting costs the server is no matter of the requests.
const first = Array.from({ length: Math.min(mostConnections, Math.ceil(rate / 4)) }, open);
await Promise.all(first.map(({ socket }) => once(socket, 'connect')));
idle.push(...first);
// The system has taken them; the server may still be about it.
await sleep(500);

const beganMs = performance.now();
for (let next = 0; ;) {
  const sinceMs = performance.now() - beganMs;
  if (sinceMs >= seconds * 1_000) break;
  const due = Math.floor((sinceMs * rate) / 1_000);
  for (; next < due; next++) send(requests[next % requests.length]);
  const beforeMs = performance.now();
  await sleep(2);
  latenessMs.push(performance.now() - beforeMs - 2);
}
const tookS = (performance.now() - beganMs) / 1_000;
const good = goodMs.length;
// What is under way is waited for, and does not count as done in the time.
for (let waited = 0; answered + broken < sent && waited < 100; waited++) await sleep(100);

const at = (numbers, part) =>
  [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length * part)] ?? 0;
const spread = (numbers) => ({ p50: at(numbers, 0.5), p99: at(numbers, 0.99), most: at(numbers, 0.999999) });
const result = {
  goodPerSecond: good / tookS,
  shedPerSecond: shedMs.length / tookS,
  good: spread(goodMs),
  shed: spread(shedMs),
  lateness: spread(latenessMs),
  sent,
  unsent,
  unanswered: sent - answered,
  broken,
  withoutRetryAfter,
  others,
};
process.stdout.write(JSON.stringify(result), () => process.exit());
