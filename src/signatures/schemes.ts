import { httpMessageScheme } from './http-message.js';
import { landscapeScheme } from './landscape.js';
import { ncpScheme } from './ncp.js';
import type { Scheme, SignatureScheme } from './scheme.js';
import { veracodeScheme } from './veracode.js';

/** What the graph says of each. */
export const schemeDescriptions: Readonly<Record<SignatureScheme, string>> = {
  VERACODE_HMAC_SHA_256: 'An Authorization header of scheme VERACODE-HMAC-SHA-256.',
  NCP_SIGNATURE_V2: 'The x-ncp-apigw-signature-v2 header of NAVER Cloud.',
  LANDSCAPE_HMAC_SHA_256: 'The signed parameters of the Landscape API.',
  HTTP_MESSAGE_SIGNATURES:
    'RFC 9421 by hmac-sha256, over @method, @authority, @path, @query, content-type and content-digest, with created, nonce and keyid.',
};

/** One scheme for each name. No request is one of two schemes. */
export const schemes: Readonly<Record<SignatureScheme, Scheme>> = {
  VERACODE_HMAC_SHA_256: veracodeScheme,
  NCP_SIGNATURE_V2: ncpScheme,
  LANDSCAPE_HMAC_SHA_256: landscapeScheme,
  HTTP_MESSAGE_SIGNATURES: httpMessageScheme,
};
