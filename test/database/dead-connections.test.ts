import { EventEmitter } from 'node:events';
import { Connections, type PgConnection, type Session } from '../../src/database/connections.js';
import { DeadConnections, type SeenSession, type Server } from '../../src/database/dead-connections.js';

/** Connections in a pool, none of whose statements is answered, and a server that has the sessions that it is given. */
function makeWorld() {
  const pool = new EventEmitter();
  const connections = new Connections();
  connections.watch(pool);
  const there = new Map<number, SeenSession>();
  const ended: number[] = [];
  const server: Server = {
    find: async (sessions) => sessions.flatMap(({ pid }) => there.get(pid) ?? []),
    endIdle: async (sessions) => void ended.push(...sessions.map(({ pid }) => pid)),
  };
  const world = { server: server as Server | undefined };
  const ask = async (work: (server: Server) => Promise<void>) => {
    if (!world.server) throw new Error('no connection');
    await work(world.server);
  };
  const dead = new DeadConnections(connections, ask, 0);
  // A look of its own would come between those of a test that takes long.
  dead.stop();
  let pids = 0;
  const connect = (behindPooler = false) => {
    const session: Session = { pid: ++pids, startedAt: `${pids}.5` };
    const told = { given: 0, ended: false, destroyed: false };
    let answer: (error?: Error) => void = () => undefined;
    const client = Object.assign(new EventEmitter(), {
      query: () => {
        told.given++;
        return new Promise<unknown>(
          (resolve, reject) => (answer = (error) => (error ? reject(error) : resolve('answer'))),
        );
      },
      end: async () => {
        told.ended = true;
        answer(new Error('Connection terminated'));
      },
      connection: { stream: { destroy: () => void (told.destroyed = true) } },
    }) satisfies PgConnection;
    connections.add(client);
    connections.begin(client, behindPooler ? undefined : session);
    pool.emit('acquire', client);
    const ask = () => {
      const asked = client.query();
      asked.catch(() => undefined);
      return asked;
    };
    const seen = (idleMs: number | null, startedAt = session.startedAt) =>
      there.set(session.pid, { pid: session.pid, startedAt, idleMs });
    const release = () => pool.emit('release', undefined, client);
    return { client, session, told, ask, answer: (error?: Error) => answer(error), seen, release };
  };
  const look = () => dead.look();
  return { connections, connect, look, ended, world };
}

test('R16: a connection whose session the server does not have is given up, and whoever waits for it is told', async () => {
  const { connections, connect, look } = makeWorld();
  const { client, told, ask } = connect();
  const asked = ask();
  await look();
  await expect(asked).rejects.toThrow('Connection terminated');
  expect(told.ended).toBe(true);
  expect(connections.isLost(client)).toBe(true);
  expect([...connections.outstanding]).toEqual([]);
});

test('R16: a session of another server, or of another time, that has the same number is not taken for it', async () => {
  const { connect, look } = makeWorld();
  const { told, ask, seen } = connect();
  void ask();
  seen(null, '7.25');
  await look();
  expect(told.ended).toBe(true);
});

test('R16: a statement that only takes long is never given up', async () => {
  const { connect, look } = makeWorld();
  const { told, ask, seen } = connect();
  void ask();
  seen(null);
  for (let looks = 0; looks < 5; looks++) await look();
  expect(told.ended).toBe(false);
});

test('R16: one whose session has done nothing for so long that an answer would be here is given up, and undone there', async () => {
  const { connect, look, ended } = makeWorld();
  const { told, ask, seen, session } = connect();
  void ask();
  seen(60_000);
  await look();
  expect(told.ended).toBe(true);
  expect(ended).toEqual([session.pid]);
});

test('one whose answer may still be on its way is not given up, and is looked at again until that is clear', async () => {
  const { connect, look, world } = makeWorld();
  const [arriving, lost] = [connect(), connect()];
  for (const { ask, seen } of [arriving, lost]) {
    void ask();
    seen(1);
  }
  const { server } = world;
  let looks = 0;
  world.server = {
    endIdle: async () => undefined,
    find: async (sessions) => {
      looks++;
      if (looks === 2) arriving.answer();
      if (looks === 3) lost.seen(60_000);
      expect(lost.told.ended).toBe(false);
      return server ? server.find(sessions) : [];
    },
  };
  await look();
  expect(looks).toBe(3);
  expect([arriving.told.ended, lost.told.ended]).toEqual([false, true]);
});

test('R16: what waited at the server for one that is given up is looked at right after', async () => {
  const { connect, look, world } = makeWorld();
  const [holding, waiting] = [connect(), connect()];
  for (const { ask } of [holding, waiting]) void ask();
  holding.seen(60_000);
  waiting.seen(null);
  const ended: number[] = [];
  world.server = {
    find: async () => [
      ...(ended.length > 0 ? [] : [{ ...holding.session, idleMs: 60_000 }]),
      { ...waiting.session, idleMs: ended.length > 0 ? 60_000 : null },
    ],
    endIdle: async (sessions) => void ended.push(...sessions.map(({ pid }) => pid)),
  };
  await look();
  expect(ended).toEqual([holding.session.pid, waiting.session.pid]);
  expect(waiting.told.ended).toBe(true);
});

test('one that is answered while the server is asked is not given up', async () => {
  const { connect, look, world } = makeWorld();
  const { told, ask, answer } = connect();
  const asked = ask();
  const { server } = world;
  if (!server) throw new Error('no server');
  world.server = {
    ...server,
    find: async () => {
      answer();
      await asked;
      return [];
    },
  };
  await look();
  expect(told.ended).toBe(false);
});

test('nothing is judged behind a pooler, nor while the server takes no new connection', async () => {
  const { connect, look, world } = makeWorld();
  const pooled = connect(true);
  void pooled.ask();
  await look();
  expect(pooled.told.ended).toBe(false);
  const direct = connect();
  void direct.ask();
  world.server = undefined;
  await look();
  expect(direct.told.ended).toBe(false);
});

test('R16: with one that is dead go those that nobody has, so that no other request waits for one of them', async () => {
  const { connect, look } = makeWorld();
  const [dead, idle, held, busy] = [connect(), connect(), connect(), connect()];
  idle.release();
  void busy.ask();
  busy.seen(null);
  void dead.ask();
  await look();
  expect([dead.told.ended, idle.told.destroyed]).toEqual([true, true]);
  expect([held, busy].map(({ told }) => told.ended || told.destroyed)).toEqual([false, false]);
});

test('those that nobody has stay where no other is dead', async () => {
  const { connect, look } = makeWorld();
  const [slow, idle] = [connect(), connect()];
  idle.release();
  void slow.ask();
  slow.seen(null);
  await look();
  expect(idle.told.destroyed).toBe(false);
});
