import { httpMessageScheme } from './http-message.js';
import { landscapeScheme } from './landscape.js';
import { ncpScheme } from './ncp.js';
import type { Scheme, SignatureScheme } from './scheme.js';
import { veracodeScheme } from './veracode.js';

/** What the graph says of each. */
export const schemeDescriptions: Readonly<Record<SignatureScheme, string>> = {
  VERACODE_HMAC_SHA_256:
    'The `Authorization` header with the scheme VERACODE-HMAC-SHA-256, as Veracode defines it.',
  NCP_SIGNATURE_V2: 'The header `x-ncp-apigw-signature-v2`, as NAVER Cloud defines it.',
  LANDSCAPE_HMAC_SHA_256: 'Signed query or form parameters, as the Landscape API defines them.',
  HTTP_MESSAGE_SIGNATURES:
    'HTTP Message Signatures (RFC 9421) with hmac-sha256. The signature covers @method, @authority, @path, @query, content-type and content-digest, and has the parameters created, nonce and keyid.',
};

/** One scheme for each name. No request is one of two schemes. */
export const schemes: Readonly<Record<SignatureScheme, Scheme>> = {
  VERACODE_HMAC_SHA_256: veracodeScheme,
  NCP_SIGNATURE_V2: ncpScheme,
  LANDSCAPE_HMAC_SHA_256: landscapeScheme,
  HTTP_MESSAGE_SIGNATURES: httpMessageScheme,
};
