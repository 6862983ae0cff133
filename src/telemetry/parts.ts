/** What Keyway is not ready without: it answers UNAVAILABLE, or not all that it is asked. */
const needed = ['serving', 'database', 'keys', 'key-provider', 'audit-log'] as const;

/** Besides those, what it goes on without and is to be looked at. */
type PartName = (typeof needed)[number] | 'checkpoints' | 'issuers' | 'audit-stream' | 'replica';

/** Which parts are there; one that this process does not have is left out. */
export type PartsUp = Readonly<Partial<Record<PartName, boolean | undefined>>>;

/** What is said of the parts to who runs Keyway: names of them, and nothing else (S64). */
export interface Readiness {
  readonly status: 'up' | 'down';
  /** What keeps it from being ready. */
  readonly missing: readonly string[];
  /** What is out of order all the same. */
  readonly impaired: readonly string[];
}

const isNeeded = (part: string): boolean => (needed as readonly string[]).includes(part);

/** @param down the names of the parts that are not there */
export function readinessOf(down: readonly string[]): Readiness {
  const missing = down.filter(isNeeded);
  return {
    status: missing.length === 0 ? 'up' : 'down',
    missing,
    impaired: down.filter((part) => !isNeeded(part)),
  };
}

/** Whether nothing that is needed is missing. */
export const areReady = (parts: PartsUp): boolean => readinessOf(downIn(parts)).status === 'up';

/** The names of the parts that are not there. */
export const downIn = (parts: PartsUp): string[] =>
  Object.entries(parts).flatMap(([part, isUp]) => (isUp === false ? [part] : []));
