import { expectDistinct, KeyFilesError, type KeyFiles } from '../../keyring/kek-file.js';
import { numberOf } from '../../keyring/key-file.js';
import { KeyProviderFault } from '../../keyring/key-provider.js';
import type { Log } from '../../log.js';
import type { Secret } from '../../secret.js';
import { settingOf, type KeyProviders } from './key-providers.js';

const shortestRestMs = 2_000;
const longestRestMs = 30_000;

/**
 * The KEKs of kek.json as their providers have unwrapped them, each asked for once: however many records there are, a
 * provider is called when a key is new here, and again where it did not answer, more and more seldom.
 */
export class UnwrappedKeks {
  /** By what stands in the file for each. */
  #keys = new Map<string, Secret>();
  /** What could not be unwrapped, by what stands in the file for it. */
  #tried = new Set<string>();
  #faults: readonly string[] = [];
  #failures = 0;
  #restsUntil = 0;

  constructor(
    readonly providers: KeyProviders,
    private readonly log: Log,
  ) {}

  /** Which keys could not be unwrapped when that was tried last, and why. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Whether it is time to try again what could not be unwrapped. */
  get isDue(): boolean {
    return this.#faults.length > 0 && performance.now() >= this.#restsUntil;
  }

  /**
   * The files with all KEKs that can be had; others stay among those that are wrapped alone, and are told of.
   * @throws KeyFilesError where no setting says how a provider is reached, and where keys are the same.
   */
  async fill(files: KeyFiles): Promise<KeyFiles> {
    const wrapped = [...(files.kek.wrapped ?? [])].map(([id, text]) => ({ id, text, name: `${id} ${text}` }));
    const unset = wrapped.filter(({ text }) => !this.providers.of(text));
    if (unset.length > 0)
      throw new KeyFilesError(
        unset.map(
          ({ id, text }) =>
            `kek.json: key ${id} is wrapped by a provider that is not set up: see ${settingOf(text)}`,
        ),
      );
    const isNew = wrapped.some(({ name }) => !this.#keys.has(name) && !this.#tried.has(name));
    if (isNew || this.isDue) await this.#unwrap(wrapped);
    const had = wrapped.flatMap(({ id, name }): [string, Secret][] => {
      const key = this.#keys.get(name);
      return key ? [[id, key]] : [];
    });
    const keys = new Map(
      [...files.kek.keys, ...had].sort(([one], [other]) => numberOf(one) - numberOf(other)),
    );
    const filled = { ...files, kek: { ...files.kek, keys } };
    expectDistinct(filled);
    return filled;
  }

  async #unwrap(wrapped: readonly { id: string; text: string; name: string }[]): Promise<void> {
    const faults: string[] = [];
    const found = await Promise.all(
      wrapped.map(async ({ id, text, name }): Promise<[string, Secret][]> => {
        const known = this.#keys.get(name);
        if (known) return [[name, known]];
        try {
          const key = await this.providers.of(text)?.unwrap(id, text);
          return key ? [[name, key]] : [];
        } catch (error) {
          if (!(error instanceof KeyProviderFault)) throw error;
          faults.push(`kek ${id}: ${error.message}`);
          return [];
        }
      }),
    );
    this.#keys = new Map(found.flat());
    this.#tried = new Set(wrapped.map(({ name }) => name).filter((name) => !this.#keys.has(name)));
    this.#failures = faults.length > 0 ? this.#failures + 1 : 0;
    this.#restsUntil =
      performance.now() + Math.min(shortestRestMs * 2 ** Math.max(0, this.#failures - 1), longestRestMs);
    this.#tell(faults.sort());
  }

  /** Once, and again where it is another fault. */
  #tell(faults: readonly string[]): void {
    const isAnother = faults.join() !== this.#faults.join();
    this.#faults = faults;
    if (!isAnother) return;
    if (faults.length > 0) this.log.error({ faults }, 'keys could not be unwrapped, and are tried again');
    else this.log.info({}, 'all keys are unwrapped');
  }
}
