import { parseId } from '../../src/ids.js';
import type { Answer, SharedServer } from '../support/server.js';
import { outside, type Case } from './conformance.js';
import { connect, inState, recorded, until, type World } from './world.js';

/** What a vendor says when it fails. */
export const words = 'what a vendor says is for no answer';

/** Does the same at each store at once, and tells by name what came of it; the vendors end with it. */
export async function atEach<Result>(
  server: SharedServer,
  work: (world: World, store: Case) => Promise<Result>,
  stores: readonly Case[] = outside,
): Promise<Record<string, Result>> {
  const worlds: World[] = [];
  const results = stores.map(async (store) => {
    const world = await connect(server, store);
    worlds.push(world);
    return [store.name, await work(world, store)] as const;
  });
  try {
    return Object.fromEntries(await Promise.all(results));
  } finally {
    await Promise.allSettled(results);
    await Promise.all(worlds.map(({ standIn }) => standIn.stop()));
  }
}

/** The same of each store, by name. */
export const toEach = <Result>(expected: (store: Case) => Result, stores: readonly Case[] = outside) =>
  Object.fromEntries(stores.map((store) => [store.name, expected(store)]));

/** Waits until nothing of a credential is under way. */
export const comeToRest = (server: SharedServer, id: string): Promise<void> =>
  until(async () => {
    const of = { id: parseId(id)?.uuid };
    const open = await server.rows("SELECT id FROM intents WHERE state = 'OPEN' AND credential_id = :id", of);
    if (open.length > 0) return false;
    // What a lost call may have made is looked for some seconds later: here at once.
    await server.rows(
      `UPDATE leftovers SET due_at = now()
       WHERE credential_id = :id AND access_key IS NULL AND due_at > now() AND due_at < until_at RETURNING id`,
      of,
    );
    const left = await server.rows(
      `SELECT id FROM leftovers
       WHERE credential_id = :id AND (access_key IS NULL AND due_at < until_at
         OR access_key IS NOT NULL AND due_at < now() + interval '1 minute')`,
      of,
    );
    return left.length === 0;
  }, 30_000);

/** What a deed came to, once all has come to rest. */
export async function cameTo(server: SharedServer, world: World, answer: Answer, id: string, action: string) {
  expect(answer.text).not.toContain(words);
  await comeToRest(server, id);
  const read = await world.read(id);
  return {
    http: answer.status,
    code: answer.code ?? 'DONE',
    status: read.status,
    current: inState(read, 'CURRENT'),
    recorded: recorded(read, action),
    living: world.living(read.scope),
  };
}

/** Rotates, and tells what that came to and whether the store takes what was issued. */
export async function rotates(server: SharedServer, world: World, id: string) {
  const answer = await world.run('rotateCredential', { id, ...world.next() });
  const outcome = await cameTo(server, world, answer, id, 'credential:rotate');
  const issued = answer.data?.rotateCredential.issued;
  const taken = issued ? await world.accepts((await world.read(id)).externalId, issued) : null;
  return { ...outcome, taken };
}

/** What comes of a rotation that goes well, but for what is on record. */
export const good = { http: 200, code: 'DONE', status: 'ACTIVE', current: 1, living: 1, taken: true };
