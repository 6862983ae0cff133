import { connecting, connectionFault, expectHalves } from '../connection.js';
import { isSameId } from './api.js';
import type { Secret } from '../../secret.js';
import { bareId, bareKey } from '../../signatures/veracode.js';
import { veracodeRegion } from './region.js';

const member = 'veracode';

/** A pair, and that of a second administrator where there is one. */
export const veracodeConnection = connecting({
  member,
  system: 'Veracode: one pair of keys for each of its users.',
  about: 'How Keyway reaches Veracode.',
  asks: {
    endpoint: { is: 'address', about: 'The address of the API of your region.' },
    apiId: { is: 'word', about: 'The API id of an administrator.' },
    apiKey: { is: 'secretWord', about: 'The API key that belongs to `apiId`.' },
    fallbackApiId: {
      is: 'word',
      optional: true,
      about:
        'The API id of a second administrator. With it, Keyway can rotate each of the two pairs: if one is lost, it still has the other. Comes with `fallbackApiKey`.',
    },
    fallbackApiKey: {
      is: 'secretWord',
      optional: true,
      about: 'The API key that belongs to `fallbackApiId`.',
    },
  },
  keep: ({ endpoint, apiId, apiKey, fallbackApiId, fallbackApiKey }) => {
    expectHalves(member, { fallbackApiId, fallbackApiKey });
    expectIds({ apiId, fallbackApiId });
    expectKeys({ apiKey, fallbackApiKey });
    const region = veracodeRegion(endpoint, apiId);
    const first = { settings: { apiId }, secrets: { apiKey }, own: [ownPairOf(apiId)] };
    if (fallbackApiId === undefined || !fallbackApiKey) return { ...first, region };
    if (isSameId(fallbackApiId, apiId))
      throw connectionFault(member, 'fallbackApiId', 'must be the pair of another user');
    return {
      settings: { ...first.settings, fallbackApiId },
      secrets: { ...first.secrets, fallbackApiKey },
      region,
      own: [...first.own, ownPairOf(fallbackApiId)],
    };
  },
});

const ownPairOf = (apiId: string) => ({ kind: 'ACCESS_KEY' as const, accessKey: apiId });

/** @throws BAD_USER_INPUT, naming the field, for an id that nothing can be signed with. */
function expectIds(ids: Record<string, string | undefined>): void {
  for (const [field, id] of Object.entries(ids))
    if (id !== undefined && bareId(id) === undefined)
      throw connectionFault(member, field, 'must be 32 hexadecimal digits or more, as Veracode shows it');
}

/** @throws BAD_USER_INPUT, naming the field, for a key that nothing can be signed with. */
function expectKeys(keys: Record<string, Secret | undefined>): void {
  for (const [field, key] of Object.entries(keys))
    if (key && bareKey(key.expose()) === undefined)
      throw connectionFault(member, field, 'must be hexadecimal digits in pairs, as Veracode shows it');
}
