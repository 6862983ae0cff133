import { httpMessage } from './http-message.js';
import { landscape } from './landscape.js';
import { ncp } from './ncp.js';
import type { Scheme, SignatureScheme } from './scheme.js';
import { veracode } from './veracode.js';

/** One scheme for each name. No request is one of two schemes. */
export const schemes: Readonly<Record<SignatureScheme, Scheme>> = {
  VERACODE_HMAC_SHA_256: veracode,
  NCP_SIGNATURE_V2: ncp,
  LANDSCAPE_HMAC_SHA_256: landscape,
  HTTP_MESSAGE_SIGNATURES: httpMessage,
};
