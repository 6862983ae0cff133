import { isSameId } from '../connectors/veracode-api.js';
import { Secret } from '../secret.js';
import type { StoreConnection } from './connection.js';
import type { VeracodeConnectionInput } from './store.input.js';
import { expectHalves, wayInError } from './way-in.js';

/**
 * A pair, and that of a second administrator where there is one.
 * @throws BAD_USER_INPUT, naming the field, for a half of the second one, and where it is the first once more.
 */
export function veracodeWayIn({
  apiId,
  apiKey,
  fallbackApiId,
  fallbackApiKey,
}: VeracodeConnectionInput): Pick<StoreConnection, 'settings' | 'secrets' | 'own'> {
  expectHalves('veracode', { fallbackApiId, fallbackApiKey });
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
