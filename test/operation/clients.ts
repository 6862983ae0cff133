import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { unique } from '../support/make.js';
import type { Answer, Door } from '../support/server.js';
import { until } from './until.js';

/** A credential, as its client knows it by what was acknowledged. */
export interface Known {
  readonly name: string;
  readonly id: string;
  readonly accessKey: string;
  /** All that were shown, oldest first: the last one works, until it is revoked. */
  readonly secrets: string[];
  isRevoked: boolean;
}

/** Clients that create, rotate, revoke and verify without a pause. */
export interface Clients {
  /** What the names of all that they create begin with, and no other name. */
  readonly prefix: string;
  /** All that was created. */
  readonly known: readonly Known[];
  /** What was told that must never be. */
  readonly wrong: readonly string[];
  /** Resolves when a change that was begun from now on is acknowledged. */
  untilServed(): Promise<void>;
  /** Has them bring what they have begun to its end. */
  end(): Promise<void>;
  /** Has them stop where they are. */
  abandon(): void;
}

/**
 * Sends them off. Each change is repeated with its idempotency key until it is acknowledged, and then once more: the answer
 * must be the same.
 */
export function sendClients(door: Door, account: string, count: number): Clients {
  const prefix = unique('lives');
  const known: Known[] = [];
  const wrong: string[] = [];
  let going = true;
  let isAbandoned = false;
  let acknowledgedFrom = -Infinity;

  const acknowledged = (ask: () => Promise<Answer>): Promise<Answer> =>
    until('a change is acknowledged', async () => {
      if (isAbandoned) throw new Error('abandoned');
      const from = performance.now();
      const answer = await ask().catch(() => undefined);
      if (answer && answer.status === 200 && answer.code === undefined) {
        acknowledgedFrom = Math.max(acknowledgedFrom, from);
        return answer;
      }
      if (answer && !isPassing(answer))
        wrong.push(`a change was answered with ${answer.code}: ${answer.text}`);
      return undefined;
    });
  const twice = async (ask: (idempotencyKey: string) => Promise<Answer>) => {
    const key = unique('change');
    const first = await acknowledged(() => ask(key));
    const again = await acknowledged(() => ask(key));
    if (!isDeepStrictEqual(again.data, first.data))
      wrong.push(`a repeat was answered with ${again.text}, and not with ${first.text}`);
    return first.data;
  };
  /** The code of a verification; undefined where there was no answer. */
  const verify = async (accessKey: string, secret: string): Promise<string | undefined> => {
    const answer = await door
      .ask(verification, { input: { accessKey, proof: { secret } } })
      .catch(() => undefined);
    return answer?.data?.verifyCredential?.code as string | undefined;
  };
  /** What was ended by an acknowledged change is never good again. */
  const expectEnded = async (one: Known, secret: string, why: string) => {
    if ((await verify(one.accessKey, secret)) === 'VALID') wrong.push(`${one.name} was VALID, ${why}`);
  };
  const expectGood = async ({ name, accessKey, secrets }: Known) => {
    const code = await verify(accessKey, secrets.at(-1) ?? '');
    if (code !== undefined && code !== 'VALID') wrong.push(`${name} was ${code}, which is good`);
  };

  const live = async () => {
    const name = unique(prefix);
    const { createCredential: made } = await twice((idempotencyKey) =>
      door.ask(creation, { input: { account, name, idempotencyKey, secret: { accessKey: {} } } }),
    );
    const { accessKey, secret } = made.issued as { accessKey: string; secret: string };
    const one: Known = { name, id: made.credential.id, accessKey, secrets: [secret], isRevoked: false };
    known.push(one);
    await expectGood(one);
    const { rotateCredential: rotated } = await twice((idempotencyKey) =>
      door.ask(rotation, { input: { id: one.id, idempotencyKey } }),
    );
    one.secrets.push(rotated.issued.secret as string);
    await expectEnded(one, secret, 'after its rotation');
    await expectGood(one);
    // Some are left as they are.
    if (known.length % 3 === 0) return;
    await twice((idempotencyKey) => door.ask(revocation, { input: { id: one.id, idempotencyKey } }));
    one.isRevoked = true;
    await expectEnded(one, one.secrets.at(-1) ?? '', 'after its revocation');
  };
  const client = async () => {
    while (going) await live();
  };
  /** Presents what has ended, the newest first: what is behind does not know of it. */
  const watcher = async () => {
    while (going) {
      const ended = known.filter(({ isRevoked }) => isRevoked).slice(-5);
      for (const one of ended) await expectEnded(one, one.secrets.at(-1) ?? '', 'after its revocation');
      await sleep(20);
    }
  };
  const all = Promise.all([...Array.from({ length: count }, client), watcher(), watcher()]);
  // Whoever abandons them does not wait.
  all.catch(() => undefined);
  return {
    prefix,
    known,
    wrong,
    untilServed: async () => {
      const from = performance.now();
      await until('a change is acknowledged that was begun now', () => acknowledgedFrom >= from);
    },
    end: async () => {
      going = false;
      await all;
    },
    abandon: () => {
      going = false;
      isAbandoned = true;
    },
  };
}

/** What is answered while there is no primary, by a Keyway or by HAProxy where none is ready; CONFLICT says «later» too. */
const isPassing = ({ status, code }: Answer) =>
  status >= 502 || ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'CONFLICT'].includes(code ?? '');

const issued = 'credential { id } issued { accessKey secret }';
const creation = `mutation ($input: CreateCredentialInput!) { createCredential(input: $input) { ${issued} } }`;
const rotation = `mutation ($input: RotateCredentialInput!) { rotateCredential(input: $input) { ${issued} } }`;
const revocation = `mutation ($input: RevokeCredentialInput!) { revokeCredential(input: $input) { credential { id status } } }`;
const verification = `mutation ($input: VerifyCredentialInput!) { verifyCredential(input: $input) { code } }`;
