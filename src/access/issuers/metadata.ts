import { unavailable } from '../../errors.js';

/**
 * Where an issuer tells about itself: as OpenID Connect Discovery 1.0, section 4.1, has it, which is what nearly all do,
 * and then as RFC 8414, section 3.1.
 */
export function metadataPlaces(issuer: string): string[] {
  const bare = issuer.replace(/\/$/, '');
  const { origin, pathname } = new URL(bare);
  const path = pathname === '/' ? '' : pathname;
  return [
    `${bare}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/**
 * Where the keys are, as the issuer's metadata says.
 * @throws UNAVAILABLE where they are another's: the two must be the same text (OpenID Connect Discovery 1.0, section 4.3).
 */
export function readMetadata(metadata: Record<string, unknown>, issuer: string): string {
  if (metadata.issuer !== issuer)
    throw unavailable('what the issuer tells about itself is of another issuer');
  const { jwks_uri: address } = metadata;
  if (typeof address !== 'string' || !URL.canParse(address))
    throw unavailable('what the issuer tells about itself has no address of its keys (jwks_uri)');
  // Whoever is on the way could put keys of their own in the place of those that come by http.
  if (![new URL(issuer).protocol, 'https:'].includes(new URL(address).protocol))
    throw unavailable('the issuer says that its keys (jwks_uri) are not at an https address');
  return address;
}
