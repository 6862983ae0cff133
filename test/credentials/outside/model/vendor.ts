import type { Connector, Known, Minted, Observed, Upstream } from '../../../../src/connectors/connector.js';
import { StoreError } from '../../../../src/connectors/store-error.js';
import { LeaseLost } from '../../../../src/credentials/outside/lease.js';
import { Secret } from '../../../../src/secret.js';
import type { Chance } from './chance.js';

/** How a vendor makes secrets; `shown` and `hidden` ones replace each other. */
export type VendorKind = 'OURS' | 'OVERLAP' | 'SHOWN' | 'HIDDEN';

/** The process ended: nothing that comes after is done by it, as where it has lost its lease. */
export class Crash extends LeaseLost {}

/** How a call comes out. */
const fates = [
  'done',
  'refused',
  'busy',
  'lost',
  'lost before',
  'late',
  'crash before',
  'crash after',
  'stall',
] as const;
type Fate = (typeof fates)[number];

/** One place of a vendor, with all that can go wrong between it and Keyway. */
export class Vendor {
  /** The secrets that work, by their ids. */
  readonly living = new Map<string, string>();
  /** What it has been asked for and does later. */
  readonly late: (() => void)[] = [];
  /** What has been let through, in order. */
  readonly told: string[] = [];
  healthy = false;
  #stalled: (() => void)[] = [];
  #onStall: (() => void)[] = [];
  #made = 0;

  constructor(
    readonly kind: VendorKind,
    /** What its ids begin with: no two vendors have one in common. */
    readonly name: string,
    readonly chance: Chance,
    readonly mostKeys = 3,
  ) {}

  /** Resolves when the next process stands still. */
  nextStall(): Promise<void> {
    return new Promise((resolve) => this.#onStall.push(resolve));
  }

  /** Lets all go on that stand still. */
  release(): void {
    for (const go of this.#stalled.splice(0)) go();
  }

  /** Does all that was asked for. */
  catchUp(): void {
    for (const effect of this.late.splice(0)) effect();
  }

  make(id = `${this.name}-${++this.#made}`, secret = `secret-${++this.#made}`): [string, string] {
    if (this.kind === 'SHOWN' || this.kind === 'HIDDEN') this.living.clear();
    this.living.set(id, secret);
    return [id, secret];
  }

  /** A call: it is done or not, and the answer comes or not. */
  async call<Result>(upstream: Upstream, name: string, effect: () => Result): Promise<Result> {
    await upstream.call({ method: 'POST', path: [name] });
    const fate: Fate = this.healthy || !this.chance.is(0.45) ? 'done' : this.chance.of(fates);
    this.told.push(`${name}: ${fate}`);
    if (fate === 'refused') throw new StoreError('FORBIDDEN');
    if (fate === 'busy') throw new StoreError('RATE_LIMITED');
    if (fate === 'crash before') throw new Crash();
    // A secret of ours that comes late, after another one, is there again, and nothing tells.
    if (fate === 'lost before' || (fate === 'late' && name !== 'make' && name !== 'end'))
      throw new StoreError('UPSTREAM_UNAVAILABLE');
    if (fate === 'late') {
      this.late.push(() => void attempt(effect));
      throw new StoreError('UPSTREAM_UNAVAILABLE');
    }
    const result = attempt(effect);
    if (fate === 'crash after') throw new Crash();
    if (fate === 'lost') throw new StoreError('UPSTREAM_UNAVAILABLE');
    if (fate === 'stall')
      await new Promise<void>((resolve) => {
        this.#stalled.push(resolve);
        for (const tell of this.#onStall.splice(0)) tell();
      });
    if (result instanceof StoreError) throw result;
    return result;
  }
}

function attempt<Result>(effect: () => Result): Result | StoreError {
  try {
    return effect();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}

/** A connector to the vendor that is in its place just now. */
export function connectorTo(kind: VendorKind, at: () => Vendor): Connector {
  const idOf = ({ externalId }: Pick<Known, 'externalId'>) =>
    kind === 'OURS' ? externalId : ([...at().living.keys()][0] ?? '');
  const mintedOf = ([accessKey, secret]: [string, string]): Minted => ({
    accessKey,
    secret: Secret.of(secret),
    keys: null,
    proof: Secret.of(secret),
  });
  const observed = (externalId: string, accessKey: string, name: string): Observed => {
    return { externalId, scope: 'place', kind: 'ACCESS_KEY', name, accessKey };
  };
  const end = (upstream: Upstream, key: string) =>
    at().call(upstream, 'end', () => void at().living.delete(key));
  const check = () => Promise.resolve();

  if (kind === 'OVERLAP') {
    const make = () => {
      if (at().living.size >= at().mostKeys) throw new StoreError('LIMIT_EXCEEDED');
      return at().make();
    };
    const endAll = async (upstream: Upstream, { keys }: Known) => {
      for (const key of keys) await end(upstream, key);
    };
    return {
      kind,
      check,
      kinds: ['ACCESS_KEY'],
      rotation: { chosenBy: 'store', previous: 'lives' },
      present: (upstream) => at().call(upstream, 'look', () => [...at().living.keys()]),
      create: async (upstream) => {
        const minted = mintedOf(await at().call(upstream, 'make', make));
        return { externalId: minted.accessKey ?? '', scope: 'place', minted };
      },
      rotate: async (upstream) => mintedOf(await at().call(upstream, 'make', make)),
      probe: (upstream, { accessKey }) => at().call(upstream, 'try', () => at().living.has(accessKey ?? '')),
      retire: (upstream, _, key) => end(upstream, key),
      revoke: endAll,
      delete: endAll,
    };
  }
  if (kind === 'OURS') {
    return {
      kind,
      check,
      kinds: ['PASSWORD'],
      rotation: { chosenBy: 'keyway', previous: 'dies' },
      present: (upstream, { name }) =>
        at().call(upstream, 'look', () => [...at().living.keys()].filter((id) => id === name)),
      create: async (upstream, { name, wish }) => {
        const chosen = wish.kind === 'PASSWORD' ? wish.password : null;
        await at().call(upstream, 'make', () => {
          if (at().living.has(name)) throw new StoreError('CONFLICT');
          return at().make(name, chosen?.expose());
        });
        return { externalId: name, scope: 'place', minted: mintedOf([name, chosen?.expose() ?? '']) };
      },
      rotate: async (upstream, known, wish) => {
        const chosen = wish.kind === 'PASSWORD' ? (wish.password?.expose() ?? '') : '';
        await at().call(upstream, 'set', () => {
          if (!at().living.has(known.externalId)) throw new StoreError('NOT_FOUND');
          at().living.set(known.externalId, chosen);
        });
        return mintedOf([known.externalId, chosen]);
      },
      find: (upstream, { externalId, name }) =>
        at().call(upstream, 'look', () =>
          at().living.has(externalId) ? observed(externalId, externalId, name) : undefined,
        ),
      revoke: (upstream, known) => end(upstream, idOf(known)),
      delete: (upstream, known) => end(upstream, idOf(known)),
    };
  }
  const pair = () => [...at().living][0];
  const endPair = (upstream: Upstream) => at().call(upstream, 'end', () => at().living.clear());
  return {
    kind,
    check,
    kinds: ['ACCESS_KEY'],
    rotation: { chosenBy: 'store', previous: 'dies' },
    create: async (upstream) => {
      const made = await at().call(upstream, 'make', () => at().make());
      return { externalId: 'place', scope: 'place', minted: mintedOf(made) };
    },
    rotate: async (upstream) => mintedOf(await at().call(upstream, 'make', () => at().make())),
    find: (upstream, { externalId, name }) =>
      at().call(upstream, 'look', () => {
        const there = pair();
        return there && observed(externalId, there[0], name);
      }),
    revoke: endPair,
    delete: endPair,
    ...(kind === 'SHOWN' && {
      reveal: (upstream) =>
        at().call(upstream, 'look', () => {
          const there = pair();
          return there && mintedOf(there);
        }),
    }),
  };
}
