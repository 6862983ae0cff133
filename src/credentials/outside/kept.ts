import { badInput } from '../../errors.js';

/**
 * A secret of an outside store opens nothing of Keyway's, and Keyway is asked for it: it is always kept.
 * @throws BAD_USER_INPUT where it is not to be.
 */
export function expectRetrievable({ retrievable }: { retrievable?: boolean | null }): void {
  if (retrievable === false)
    throw badInput('input.retrievable', 'must not be false: secrets of outside stores are always kept');
}
