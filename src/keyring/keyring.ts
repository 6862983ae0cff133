import { KeywayError } from '../errors.js';
import { Secret } from '../secret.js';
import { openRecord, rewrapRecord, sealRecord, type RecordPlace, type SealedRecord } from './envelope.js';
import { fileKekProvider, type KeyFiles, type KeyKind } from './kek-file.js';
import { keyById, numberOf, type KeyFile } from './key-file.js';
import { passwords, type Passwords } from './password.js';
import { hkdfSha256, hmacSha256 } from './primitives.js';
import { verifiers, type Verifiers } from './verifier.js';

/** All that is done with keys. No key ever leaves it. */
export interface Keyring extends Verifiers, Passwords {
  /** Seals a secret for one place, with the id of the KEK that the row must name. */
  seal(plain: Secret, place: RecordPlace): Promise<SealedRecord>;
  /**
   * Opens what was sealed for this place.
   * @throws UNAVAILABLE, its id in the cause, where the KEK is missing; INTERNAL_SERVER_ERROR, always the same, where
   * the record was changed or moved.
   */
  open(sealed: Buffer, place: RecordPlace): Promise<Secret>;
  /** The same record under the current KEK, its secret left closed. Fails as `open` does. */
  rewrap(sealed: Buffer, place: RecordPlace): Promise<SealedRecord>;
  kekIds(): string[];
  currentKekId(): string;
  hasKek(id: string): boolean;
  /** The ids of all keys of a kind, oldest first. */
  keyIds(kind: KeyKind): string[];
  /** A public check value: the same on two servers if and only if they hold the same key under this id. */
  fingerprint(kind: KeyKind, id: string): string;
  /**
   * The link of row `number` in a chain: depends on every row before it, and cannot be made without the epoch's key.
   * @throws INTERNAL_SERVER_ERROR for an unknown epoch or a previous link that is not 32 bytes long.
   */
  auditLink(epoch: string, previous: Buffer, canonicalRow: Buffer, number: bigint): Buffer;
  /** The id of the key of a kind that things are made with now. */
  currentId(kind: KeyKind): string;
  /** The ids of the keys of a kind that are older than that one. One that is newer is about to be current elsewhere. */
  olderIds(kind: KeyKind): string[];
  /** The epoch that events are added in now. @throws what `onAudit` throws. */
  currentAuditEpoch(): string;
  /** Says that events were added, and are committed; resolves when `onLinked` has. */
  linked(events: readonly Link[]): Promise<void>;
  /** Resolves when `onLinked` has heard of all events that are committed by now: who tells again what they did waits for it. */
  allLinked(): Promise<void>;
  /** The known epochs, oldest first. */
  auditEpochs(): string[];
}

/** An event that was added to a chain of the audit log. */
export interface Link {
  /** In whose chain it stands. */
  readonly account: string;
  readonly number: string;
  /** In hexadecimal digits. */
  readonly hash: string;
  readonly at: string;
  readonly epoch: string;
  /** What ended by it, if anything did, and how that is told. */
  readonly ended: { readonly type: string; readonly id: string; readonly text: string } | null;
}

/** What hears of what is done with keys, before it happens, and may refuse it by throwing; and what there is to do it with. */
export interface KeyringOptions {
  /** Hears of each wrap, to count it. */
  onWrap?: (kekId: string) => void;
  /** Hears that events are to be added to chains of the audit log. */
  onAudit?: () => void;
  /** Hears of the events that were added, when they are committed. It must not fail. */
  onLinked?: (events: readonly Link[]) => Promise<void>;
  /** Looks whether there are new keys, where something is by a key that is not known here; never rejects. */
  look?: () => Promise<void>;
  /** How many processes hash passwords on this machine. */
  processes?: number;
}

/** A keyring over checked key files. */
export function openKeyring(files: KeyFiles, options: KeyringOptions = {}): Keyring {
  const look = async () => options.look?.();
  const kek = fileKekProvider(files.kek, options.onWrap, look);
  const linking = new Set<Promise<void>>();
  return {
    ...verifiers(files.verifier, () => void look()),
    ...passwords(files.pepper, options.processes, look),
    seal: (plain, place) => sealRecord(kek, plain.exposeBytes(), place),
    open: async (sealed, place) => Secret.of(await openRecord(kek, sealed, place)),
    rewrap: (sealed, place) => rewrapRecord(kek, sealed, place),
    kekIds: () => [...files.kek.keys.keys()],
    currentKekId: () => files.kek.current,
    hasKek: (id) => files.kek.keys.has(id),
    keyIds: (kind) => [...files[kind].keys.keys()],
    fingerprint: (kind, id) => fingerprintOf(files[kind], id),
    currentId: (kind) => files[kind].current,
    olderIds: (kind) => {
      const { keys, current } = files[kind];
      return [...keys.keys()].filter((id) => numberOf(id) < numberOf(current));
    },
    auditLink: (epoch, previous, canonicalRow, number) =>
      auditLink(keyById(files.audit, epoch), previous, canonicalRow, number),
    currentAuditEpoch: () => {
      options.onAudit?.();
      return files.audit.current;
    },
    linked: async (events) => {
      const heard = options.onLinked?.(events);
      if (!heard) return;
      linking.add(heard);
      await heard.finally(() => linking.delete(heard));
    },
    allLinked: async () => void (await Promise.all(linking)),
    auditEpochs: () => [...files.audit.keys.keys()],
  };
}

/** The check value of a key, as `Keyring.fingerprint` tells it. */
export const fingerprintOf = (file: KeyFile, id: string): string =>
  // Derived, and not the plain HMAC: no password and no row can then be made to give the value that is public here.
  hkdfSha256(keyById(file, id).exposeBytes(), Buffer.alloc(0), 'keyway/check/v1', 8).toString('hex');

function auditLink(key: Secret, previous: Buffer, canonicalRow: Buffer, number: bigint): Buffer {
  if (previous.length !== 32) throw new KeywayError('INTERNAL_SERVER_ERROR');
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(number);
  return hmacSha256(key.exposeBytes(), previous, canonicalRow, place);
}
