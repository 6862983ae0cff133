import { mostSecretBytes } from '../../config/limits.js';
import { Field, InputType } from 'type-graphql';
import { isSameId } from '../../connectors/veracode/api.js';
import { AsTyped, HeaderWord, Optional } from '../../inputs/rules.js';
import { URL } from '../../inputs/scalars.js';
import { Secret } from '../../secret.js';
import { bareId, bareKey } from '../../signatures/veracode.js';
import { StoreKind } from '../store.js';
import { addressIn, expectHalves, hostnameOf, type StoreConnection, wayInError } from './way-in.js';

@InputType()
export class VeracodeConnectionInput {
  @Field(() => URL)
  @AsTyped()
  endpoint: string;

  @Field(() => String)
  @HeaderWord(200)
  apiId: string;

  @Field(() => String)
  @HeaderWord(mostSecretBytes)
  apiKey: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The pair of a second administrator. With it the first can be rotated here, and each of the two is left whatever becomes of the other.',
  })
  @Optional()
  @HeaderWord(200)
  fallbackApiId?: string | null;

  @Field(() => String, { nullable: true })
  @Optional()
  @HeaderWord(mostSecretBytes)
  fallbackApiKey?: string | null;
}

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

/**
 * Veracode's region, by its host (https://docs.veracode.com/r/Region_Domains_for_Veracode_APIs), or else by the seventh
 * letter of what stands before the hyphen of an API id; null where neither tells.
 */
export function veracodeRegion(endpoint: string, apiId: string): string | null {
  const hostname = hostnameOf(endpoint);
  const [, domain] = /(?:^|\.)veracode\.(com|eu|us)$/.exec(hostname) ?? [];
  if (domain !== undefined) return byDomain[domain] ?? null;
  const [, letter] = /^[0-9A-Za-z]{6}([efg])[0-9A-Za-z]-/i.exec(apiId) ?? [];
  return letter === undefined ? null : (byLetter[letter.toLowerCase()] ?? null);
}

const byDomain: Record<string, string> = { com: 'global', eu: 'eu', us: 'fedramp' };
const byLetter: Record<string, string> = { g: 'global', e: 'eu', f: 'fedramp' };

/** A Veracode as it was given. @throws BAD_USER_INPUT as `veracodeWayIn` does, and for an address that is more than a place. */
export function veracodeConnection(input: VeracodeConnectionInput, local: boolean): StoreConnection {
  const { settings, secrets, own } = veracodeWayIn(input);
  const endpoint = addressIn(input.endpoint, 'veracode.endpoint', local);
  const region = veracodeRegion(endpoint, input.apiId);
  return { kind: StoreKind.VERACODE, addresses: { endpoint }, settings, secrets, region, own };
}
