import { httpMessageScheme } from './http-message.js';
import { landscapeScheme } from './landscape.js';
import { ncpScheme } from './ncp.js';
import type { Scheme, SignatureScheme } from './scheme.js';
import { veracodeScheme } from './veracode.js';

/** One scheme for each name. No request is one of two schemes. */
export const schemes: Readonly<Record<SignatureScheme, Scheme>> = {
  VERACODE_HMAC_SHA_256: veracodeScheme,
  NCP_SIGNATURE_V2: ncpScheme,
  LANDSCAPE_HMAC_SHA_256: landscapeScheme,
  HTTP_MESSAGE_SIGNATURES: httpMessageScheme,
};
