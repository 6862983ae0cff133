import { badInput } from '../errors.js';
import type { Secret } from '../secret.js';

/** How a request may be signed. */
export enum SignatureScheme {
  VERACODE_HMAC_SHA_256 = 'VERACODE_HMAC_SHA_256',
  NCP_SIGNATURE_V2 = 'NCP_SIGNATURE_V2',
  LANDSCAPE_HMAC_SHA_256 = 'LANDSCAPE_HMAC_SHA_256',
  HTTP_MESSAGE_SIGNATURES = 'HTTP_MESSAGE_SIGNATURES',
}

/** A request is taken within this of its `signedAtMs`, both ways. */
export const windowMs = 300_000;

/** An HTTP request, as much of it as signatures are about. */
export interface SignedRequest {
  readonly method: string;
  /** As it was sent: absolute, or path and query, the Host header then telling the host. Never normalised. */
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** The raw body where it is known. */
  readonly body?: Buffer | undefined;
}

/** What a signed request says of itself, before anything is believed. */
export interface Claim {
  /** The public half that it names, in the spellings that may be on record, most exact first (at most 6). */
  readonly accessKeys: readonly string[];
  readonly signedAtMs: number;
  /** The end that the signer set itself; null where it set none. */
  readonly endsAtMs: number | null;
  /**
   * 32 bytes that tell this request from every other of the same key: SHA-256 over the scheme's name and its nonce, in
   * its canonical form, or, for schemes without nonces, the signature.
   */
  readonly nonce: Buffer;
  /** Whether the signature is of this secret. Constant time. Never throws. */
  holds(secret: Secret): boolean;
}

/** One way of signing requests with a secret that both sides know. Neither half looks at a clock. */
export interface Scheme {
  /** What the request claims; undefined for whatever is not wholly and only a request of this scheme. */
  read(request: SignedRequest): Claim | undefined;
  /**
   * The request as its signer sends it: with the scheme's headers or parameters, in place of those that were there.
   * @throws BAD_USER_INPUT, naming `request`, for what cannot be signed so that `read` reads it and it holds.
   */
  sign(request: SignedRequest, key: SigningKey, at: SigningTime): SignedRequest;
  /** Where its signers take no others: pairs of hexadecimal digits, behind a prefix of this kind. */
  readonly hexPairs?: {
    takesPrefix(prefix: string): boolean;
    /** What a prefix must be, in words. */
    readonly rule: string;
  };
}

/** A credential in the hands of its owner. */
export interface SigningKey {
  readonly accessKey: string;
  readonly secret: Secret;
}

/** What is to be new in every signature. The nonce is random where none is given. */
export interface SigningTime {
  readonly ms: number;
  readonly nonce?: Buffer | undefined;
}

/**
 * A scheme out of its two halves. What was signed is read at once, so that what others would refuse (an odd key, an odd
 * address, a missing header) is never sent.
 */
export function scheme(
  read: Scheme['read'],
  write: (...args: Parameters<Scheme['sign']>) => SignedRequest | undefined,
): Scheme {
  return {
    read,
    sign: (request, key, at) => {
      const signed = isAccessKey(key.accessKey) ? write(request, key, at) : undefined;
      if (signed && read(signed)?.holds(key.secret)) return signed;
      throw badInput('request', 'cannot be signed in this scheme with this key');
    },
  };
}

/** Whether a text can name a key: printable ASCII without blanks, up to 256 characters. */
export const isAccessKey = (text: string): boolean => /^[\x21-\x7e]{1,256}$/.test(text);
