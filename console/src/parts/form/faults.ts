import { useMemo } from 'react';
import type { CombinedError } from 'urql';
import { faultsOf } from '../../graph/client.ts';

/** What is wrong with what was filled in, by the path of the field. */
export type Faults = Readonly<Record<string, string>>;

/**
 * What Keyway found wrong, by the name of the field: what is wrong with one of its parts is told of the whole. The same
 * object for as long as the error is the same, as a field is held wrong until it is changed.
 */
export const useFaults = (error: CombinedError | undefined): Faults =>
  useMemo(
    () =>
      Object.fromEntries(
        Object.entries(faultsOf(error)).map(([path, message]) => [path.replace(/(\.\d+)+$/, ''), message]),
      ),
    [error],
  );
