import { httpMessage } from './http-message.js';
import { landscape } from './landscape.js';
import { ncp } from './ncp.js';
import type { Scheme } from './scheme.js';
import { veracode } from './veracode.js';

/** How a request may be signed. */
export enum SignatureScheme {
  VERACODE_HMAC_SHA_256 = 'VERACODE_HMAC_SHA_256',
  NCP_SIGNATURE_V2 = 'NCP_SIGNATURE_V2',
  LANDSCAPE_HMAC_SHA_256 = 'LANDSCAPE_HMAC_SHA_256',
  HTTP_MESSAGE_SIGNATURES = 'HTTP_MESSAGE_SIGNATURES',
}

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
  VERACODE_HMAC_SHA_256: veracode,
  NCP_SIGNATURE_V2: ncp,
  LANDSCAPE_HMAC_SHA_256: landscape,
  HTTP_MESSAGE_SIGNATURES: httpMessage,
};
