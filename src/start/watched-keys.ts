import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../database/database.js';
import { keyFilesState, unlikeKeys } from '../keyring/change-keys.js';
import { keyKinds, KeyFilesError, loadKeyFiles, type KeyFiles, type KeyKind } from '../keyring/kek-file.js';
import { lackingIn, numberOf } from '../keyring/key-file.js';
import { fingerprintOf } from '../keyring/keyring.js';
import type { Log } from '../log.js';
import type { UnwrappedKeks } from './key-providers/unwrapped-keks.js';
import { knownKeys, makeKnown, plainStrangers, type KnownKey } from './keys.js';
import type { WrapCount } from './wrap-count.js';

/** Longer than it takes until each process that has the same files has looked at them. */
const settlingMs = 5_000;
/** However many ask at once. */
const leastBetweenMs = 100;
/** A provider of keys that hangs is not a request's to wait for. */
const longestWaitMs = 1_000;

export interface WatchedKeysParts {
  readonly db: Database;
  readonly directory: string;
  /** What the keyring is over. */
  readonly files: KeyFiles;
  /** Unwraps the KEKs that a provider has wrapped. */
  readonly keks: UnwrappedKeks;
  readonly wraps: WrapCount;
  readonly log: Log;
}

/**
 * Takes what is new in the key files while Keyway runs. Keys are only added: none that was there goes, and files that are
 * wrong are not taken. A key that has become current is used once all processes can know it; one of the audit log only from
 * a start on. With a key that the database says is retired nothing is made any more. A KEK that its provider does not unwrap
 * comes when it does, and one that none has wrapped, though one is chosen, does not come.
 */
export class WatchedKeys {
  /** How the files were when they were looked at; '' before they were. */
  #state: string | undefined = '';
  /** Which keys are current by the files. */
  readonly #wanted = new Map<KeyKind, string>();
  /** When a key came that was not there at the start. */
  readonly #came = new Map<string, number>();
  /** Which keys are current and retired, and were told of. */
  readonly #told = new Set<string>();
  readonly #started = performance.now();
  #looking: Promise<void> | undefined;
  #lookedAt = -Infinity;
  /** KEKs that were to be there from the start on, and whose provider did not unwrap them. */
  readonly #awaited: readonly string[];
  /** Which KEKs the database knows, as of the last look, and whether they are retired: nothing is by those any more. */
  #known: ReadonlyMap<string, { retired: boolean }> = new Map();

  constructor(private readonly parts: WatchedKeysParts) {
    this.#awaited = lackingIn(parts.files.kek);
  }

  /**
   * Why KEKs are not here: those that the files had at the start, also where they name them no more, and those that another
   * process may have sealed with. While there are any, what they have sealed is not read.
   */
  get lacking(): readonly string[] {
    const { files, keks } = this.parts;
    const faultOf = (id: string) => keks.faults.find((fault) => fault.startsWith(`kek ${id}:`));
    const came = lackingIn(files.kek).filter((id) => this.#known.has(id) && faultOf(id) !== undefined);
    // Nothing is by one that no process has ever known.
    const awaited = this.#awaited.filter((id) => files.kek.wrapped?.has(id) || this.#known.has(id));
    return [...new Set([...awaited, ...came])]
      .filter((id) => !files.kek.keys.has(id) && !this.#known.get(id)?.retired)
      .map((id) => faultOf(id) ?? `kek ${id}`);
  }

  /** How many KEKs of the file wait for their provider to unwrap them, those that are retired apart. */
  get waiting(): number {
    return lackingIn(this.parts.files.kek).filter((id) => !this.#known.get(id)?.retired).length;
  }

  /** Looks at the files, and at what the database knows of keys. @throws where that cannot be read */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      this.#lookedAt = performance.now();
    });
    return this.#looking;
  }

  /** The same for whoever has met a key that is not known here, who waits for a second at most; never rejects. */
  async lookSoon(): Promise<void> {
    if (this.#looking === undefined && performance.now() - this.#lookedAt < leastBetweenMs) return;
    const looked = this.look().catch((error: unknown) =>
      this.parts.log.warn({ error }, 'the key files could not be looked at'),
    );
    await Promise.race([looked, sleep(longestWaitMs, undefined, { ref: false })]);
  }

  async #look(): Promise<void> {
    const { db, directory, files, keks, wraps } = this.parts;
    const state = keyFilesState(directory);
    let known = await knownKeys(db);
    if (state !== this.#state || keks.isDue) {
      const found = await this.#read(known);
      if (found && !this.#areOthers(found, known)) {
        for (const kind of keyKinds) await makeKnown(db, kind, newKeys(kind, files, found));
        known = await knownKeys(db);
        // Another process may have been first to bring a key by the same id.
        if (!this.#areOthers(found, known)) {
          this.#take(found);
          if (found.kek.keys.has(files.kek.current)) await wraps.reserve(files.kek.current);
        }
      }
      this.#state = state;
    }
    await this.#settle(known);
  }

  async #read(known: readonly KnownKey[]): Promise<KeyFiles | undefined> {
    const { directory, files, keks, log } = this.parts;
    try {
      const found = await keks.fill(loadKeyFiles(directory));
      const faults = keyKinds.flatMap((kind) =>
        unlikeKeys(files[kind], found[kind]).map((id) => `${kind}.json: key ${id} is another than before`),
      );
      faults.push(...plainStrangers(found, known, keks.providers.chosen));
      if (faults.length > 0) throw new KeyFilesError(faults);
      return found;
    } catch (error) {
      const faults = error instanceof KeyFilesError ? error.faults : ['cannot be read'];
      log.error({ faults }, notTaken);
      return undefined;
    }
  }

  /** Whether the database knows another key by the id of one of these. */
  #areOthers(found: KeyFiles, known: readonly KnownKey[]): boolean {
    const faults = known.flatMap(({ kind, id, fingerprint }) =>
      found[kind].keys.has(id) && fingerprintOf(found[kind], id) !== fingerprint
        ? [`${kind}.json: another key goes by the id ${id}`]
        : [],
    );
    if (faults.length > 0) this.parts.log.error({ faults }, notTaken);
    return faults.length > 0;
  }

  #take(found: KeyFiles): void {
    const { files, log } = this.parts;
    for (const kind of keyKinds) {
      const file = files[kind];
      for (const { id } of newKeys(kind, files, found)) {
        this.#came.set(`${kind} ${id}`, performance.now());
        log.info({ kind, id }, 'a key was added');
      }
      const all = new Map([...found[kind].keys, ...file.keys]);
      file.keys = new Map([...all].sort(([one], [other]) => numberOf(one) - numberOf(other)));
      file.wrapped = found[kind].wrapped ?? new Map();
      const { current } = found[kind];
      if (kind === 'audit' && current !== file.current && current !== this.#wanted.get(kind))
        log.warn(
          { kind, id: current },
          'another key of the audit log is current from the next start on: stop all Keyways of this database before',
        );
      this.#wanted.set(kind, current);
    }
  }

  /** Uses the keys that are current by the files, once they have been here for long enough. */
  async #settle(known: readonly KnownKey[]): Promise<void> {
    const { files, wraps, log } = this.parts;
    const isRetired = (kind: KeyKind, id: string) =>
      known.some((one) => one.kind === kind && one.id === id && one.retired);
    this.#known = new Map(known.filter(({ kind }) => kind === 'kek').map((one) => [one.id, one]));
    for (const kind of keyKinds) files[kind].closed = isRetired(kind, files[kind].current);
    for (const kind of keyKinds) {
      const file = files[kind];
      const wanted = this.#wanted.get(kind) ?? file.current;
      const came = this.#came.get(`${kind} ${wanted}`) ?? this.#started;
      // Nothing can be made with one that is retired, so that there is nothing to wait for.
      const isSettled = file.closed || performance.now() - came >= settlingMs;
      const isHere = file.keys.has(wanted);
      if (isHere && wanted !== file.current && kind !== 'audit' && isSettled && !isRetired(kind, wanted)) {
        if (kind === 'kek') await wraps.reserve(wanted);
        file.current = wanted;
        file.closed = false;
        log.info({ kind, id: wanted }, 'another key is current');
      }
      this.#tellClosed(kind);
      // What a retired KEK has sealed may still be brought to another one; what these prove is not to be believed.
      if (kind === 'verifier' || kind === 'pepper')
        file.keys = new Map([...file.keys].filter(([id]) => id === file.current || !isRetired(kind, id)));
    }
  }

  #tellClosed(kind: KeyKind): void {
    const { files, log } = this.parts;
    const { closed, current } = files[kind];
    const told = `${kind} ${current}`;
    if (closed && !this.#told.has(told))
      log.error({ kind, id: current }, 'the current key is retired: make another one current');
    if (closed) this.#told.add(told);
    else this.#told.delete(told);
  }
}

const newKeys = (kind: KeyKind, files: KeyFiles, found: KeyFiles) =>
  [...found[kind].keys.keys()]
    .filter((id) => !files[kind].keys.has(id))
    .map((id) => ({ id, fingerprint: fingerprintOf(found[kind], id) }));

const notTaken = 'the key files cannot be used: Keyway goes on with the keys that it has';
