// How many statements a request takes: counted on the wire between a contestant and PostgreSQL, BEGIN and COMMIT included.
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { askerOf, questionsFor } from './bodies.mjs';
import { ask } from './agree.mjs';
import { contestants, start } from './contestants.mjs';

const warmed = 30;
const counted = 15;
/** What is written behind an answer has been written by then. */
const quietMs = 800;

/**
 * Statements of a request that is alone, for each request of each contestant: the median of some.
 * @returns `{ keyway: { Q1: 4, … }, … }`
 */
export async function statementsOfEach(bed, chosen, only) {
  const counts = {};
  for (const name of chosen) counts[name] = await statementsOf(bed, name, only);
  return counts;
}

async function statementsOf(bed, name, only) {
  const contestant = contestants[name];
  const wire = await listenBefore(bed.databaseOf(contestant));
  const server = await start(contestant, { databaseUrl: wire.url, dataDir: bed.dataDir });
  const counts = {};
  try {
    const asker = await askerOf(contestant, bed, server.url);
    for (const request of contestant.requests.filter((one) => only.includes(one))) {
      const questions = questionsFor(contestant, bed, request);
      // A reader of one project has few.
      const next = (at) => questions[at % questions.length];
      for (let at = 0; at < warmed; at++) await ask(server, asker, request, next(at));
      await sleep(quietMs);
      const each = [];
      for (let at = warmed; at < warmed + counted; at++) {
        const before = wire.statements();
        await ask(server, asker, request, next(at));
        each.push(wire.statements() - before);
      }
      // Once in a while something is written behind an answer, or looked after: the median has none of it.
      counts[request] = each.sort((a, b) => a - b)[Math.floor(counted / 2)];
    }
  } finally {
    await server.stop();
    wire.close();
  }
  return counts;
}

/** A door to PostgreSQL that counts what goes through: of connections that are not encrypted. */
async function listenBefore(databaseUrl) {
  const url = new URL(databaseUrl);
  const target = { port: Number(url.port || 5432), host: url.hostname.replace(/^\[|\]$/g, '') };
  const sockets = new Set();
  let statements = 0;
  const server = createServer((near) => {
    const far = connect(target);
    const count = counter(() => statements++);
    near.on('data', count).pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => [near, far].forEach((one) => one.destroy()));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url.host = `127.0.0.1:${server.address().port}`;
  return {
    url: url.href,
    statements: () => statements,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Reads what a client sends and tells of each statement: Query and Execute
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */
function counter(onStatement) {
  let rest = Buffer.alloc(0);
  let started = false;
  return (part) => {
    rest = Buffer.concat([rest, part]);
    for (;;) {
      // The first message has no type.
      const typed = started ? 1 : 0;
      if (rest.length < typed + 4) return;
      const length = typed + rest.readUInt32BE(typed);
      if (rest.length < length) return;
      if (started && (rest[0] === query || rest[0] === execute)) onStatement();
      if (!started && rest.readUInt32BE(4) === sslRequest)
        throw new Error(
          'statements are counted where connections are not encrypted: leave sslmode out of DATABASE_URL',
        );
      started = true;
      rest = rest.subarray(length);
    }
  };
}

const query = 'Q'.charCodeAt(0);
const execute = 'E'.charCodeAt(0);
const sslRequest = 80877103;
