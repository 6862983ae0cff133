export {
  Keyway,
  type Credential,
  type CredentialInFull,
  type KeywayOptions,
  type Store,
  type Verification,
} from './client.js';
export type { DocumentTypes, ParsedDocument, Print, TypedDocument, TypedText } from './documents.js';
export { KeywayError, type ErrorCode, type FieldFault } from './errors.js';
export type * from './graph.js';
export type { Issued } from './issued.js';
export { presentedBy, type IncomingRequest } from './presented.js';
export { Secret } from './secret.js';
export { signatureHeaders, type SigningKey, type Unsigned } from './sign.js';
export type { Fetch, Signal, TransportOptions } from './transport.js';
