import type { Keyring } from '../../keyring/keyring.js';
import type { KeptEnding } from '../ending.js';

/** Where a chain stood at a time: a tail that is cut off later is missed by it. */
export interface Checkpoint {
  readonly account: string;
  /** The number of the chain's last event by then, and its hash in hexadecimal. */
  readonly number: string;
  readonly hash: string;
  readonly at: string;
  /** The epoch of that event. Lines of earlier versions do not say it. */
  readonly epoch?: string;
  /**
   * All that ended in the events of the chain after this one, up to `number`, is in `ended`. Lines of earlier versions do
   * not say what ended.
   */
  readonly from?: string;
  readonly ended?: readonly KeptEnding[];
  /** The chain's first line of a month has these: what ended after this event, up to `from`, earlier months have. */
  readonly since?: string;
  readonly month?: string;
}

/** A line as it was read: whether these keys signed it is asked by `isSigned`. */
export interface CheckpointLine {
  readonly checkpoint: Checkpoint;
  readonly mac: string;
}

/** The line as it is written, signed. */
export const lineText = (keyring: Keyring, checkpoint: Checkpoint): string =>
  JSON.stringify({ ...checkpoint, mac: keyring.mac(purpose, ...signedParts(checkpoint)).toString('hex') });

/** Whether these keys made the line, the current one or an older one. */
export function isSigned(keyring: Keyring, { checkpoint, mac }: CheckpointLine): boolean {
  return keyring.macMatches(purpose, Buffer.from(mac, 'hex'), ...signedParts(checkpoint));
}

/** Proves that who has these keys has begun the checkpoints anew: another one could hide all that was there before. */
export interface GenerationSeal {
  readonly of: (generation: number) => string;
  readonly fits: (generation: number, text: string) => boolean;
}

export const sealOf = (keyring: Keyring): GenerationSeal => ({
  of: (generation) => keyring.mac(generationPurpose, String(generation)).toString('hex'),
  fits: (generation, text) =>
    /^[0-9a-f]{64}$/.test(text) &&
    keyring.macMatches(generationPurpose, Buffer.from(text, 'hex'), String(generation)),
});

const purpose = 'audit-checkpoint';
const generationPurpose = 'audit-checkpoint-generation';

const signedParts = ({
  account,
  number,
  hash,
  at,
  epoch,
  from,
  ended,
  since,
  month,
}: Checkpoint): string[] => [
  ...[account, number, hash, at],
  ...(epoch === undefined ? [] : [epoch]),
  ...(from === undefined ? [] : [from, JSON.stringify(ended)]),
  ...(since === undefined ? [] : [since]),
  ...(month === undefined ? [] : [month]),
];

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a line; undefined where it is none. */
export function readLine(line: string): CheckpointLine | undefined {
  try {
    const { mac, ...checkpoint } = JSON.parse(line) as Checkpoint & { mac: string };
    const {
      account,
      number,
      hash,
      at,
      epoch = '',
      from = '0',
      ended = [],
      since = '0',
      month = '',
    } = checkpoint;
    const texts = [account, number, hash, at, epoch, from, since, month, mac];
    const isText = texts.every((part) => typeof part === 'string');
    // Together they say what ended, and are signed together.
    const isWhole = checkpoint.from === undefined || checkpoint.ended !== undefined;
    const isPlace = [number, from, since].every((part) => /^\d{1,18}$/.test(part));
    const fits = isText && isWhole && isPlace && uuid.test(account) && /^[0-9a-f]{64}$/.test(hash);
    return fits && Array.isArray(ended) ? { checkpoint, mac } : undefined;
  } catch {
    return undefined;
  }
}
