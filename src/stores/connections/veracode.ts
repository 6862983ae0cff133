import { isSameId } from '../../connectors/veracode/api.js';
import { Secret } from '../../secret.js';
import { bareId, bareKey } from '../../signatures/veracode.js';
import type { StoreConnection } from './connections.js';
import type { VeracodeConnectionInput } from '../store.input.js';
import { expectHalves, wayInError } from './way-in.js';

/**
 * A pair, and that of a second administrator where there is one.
 * @throws BAD_USER_INPUT, naming the field, for an id or a key that nothing can be signed with, for a half of the second
 * pair, and where that is the first once more.
 */
export function veracodeWayIn({
  apiId,
  apiKey,
  fallbackApiId,
  fallbackApiKey,
}: VeracodeConnectionInput): Pick<StoreConnection, 'settings' | 'secrets' | 'own'> {
  expectHalves('veracode', { fallbackApiId, fallbackApiKey });
  expectIds({ apiId, fallbackApiId });
  expectKeys({ apiKey, fallbackApiKey });
  const settings = { apiId };
  const secrets = { apiKey: Secret.of(apiKey) };
  const own = [{ kind: 'ACCESS_KEY', accessKey: apiId }] as const;
  if (!fallbackApiId || !fallbackApiKey) return { settings, secrets, own };
  if (isSameId(fallbackApiId, apiId))
    throw wayInError('veracode', 'fallbackApiId', 'must be the pair of another user');
  return {
    settings: { ...settings, fallbackApiId },
    secrets: { ...secrets, fallbackApiKey: Secret.of(fallbackApiKey) },
    own: [...own, { kind: 'ACCESS_KEY', accessKey: fallbackApiId }],
  };
}

type Given = Record<string, string | null | undefined>;

function expectIds(ids: Given): void {
  for (const [field, id] of Object.entries(ids))
    if (id && bareId(id) === undefined)
      throw wayInError('veracode', field, 'must be 32 hexadecimal digits or more, as Veracode shows it');
}

function expectKeys(keys: Given): void {
  for (const [field, key] of Object.entries(keys))
    if (key && bareKey(key) === undefined)
      throw wayInError('veracode', field, 'must be hexadecimal digits in pairs, as Veracode shows it');
}
