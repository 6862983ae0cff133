import { KeywayError } from '../../errors.js';
import { AddressRefused, CertificateRefused, NotConnected } from '../../outbound/outbound.js';

/** Why an issuer gives no keys, and what to do about it. */
export interface NoKeys {
  readonly why: string;
  readonly advice: string;
}

/**
 * What a failure to read the keys of an issuer means for who runs Keyway, in words of ours: nothing that was read, and no
 * message of a library, is repeated.
 */
export function whyNoKeys(failure: unknown): NoKeys {
  const cause = failure instanceof KeywayError ? failure.cause : failure;
  if (failure instanceof KeywayError && failure.code === 'UNAUTHENTICATED')
    return {
      why: 'what is read there is no key set in JSON',
      advice: 'see that it is the address of its keys',
    };
  if (typeof cause === 'string') return { why: cause, advice: 'compare it with what the setting says' };
  if (cause instanceof AddressRefused)
    return {
      why: 'its address is not one that Keyway may call',
      advice: 'allow it, if it is meant: KEYWAY_OUTBOUND_RANGES, or KEYWAY_OUTBOUND_HTTP_RANGES',
    };
  if (cause instanceof CertificateRefused) return ofCertificate[cause.why];
  if (cause instanceof NotConnected)
    return {
      why: 'there is no connection to it',
      advice: 'see whether its name is known on this machine, and whether the machine reaches it',
    };
  const { code, syscall, name } = (cause ?? {}) as { code?: unknown; syscall?: unknown; name?: unknown };
  if (typeof code === 'string' && (syscall === 'open' || syscall === 'read'))
    return {
      why: `a file that its setting names cannot be read (${code})`,
      advice: 'see that the file is there, and that the user of Keyway may read it',
    };
  return name === 'TimeoutError'
    ? { why: 'it does not answer in time', advice: 'see what keeps it, or the way to it, busy' }
    : { why: 'it breaks off its answer', advice: 'see what its own log says, or that of a proxy on the way' };
}

const ofCertificate: Record<CertificateRefused['why'], NoKeys> = {
  AUTHORITY: {
    why: 'the certificate of its server is not by an authority that is trusted',
    advice: 'name the authority in certificateAuthorityFile, if it is your own',
  },
  NAME: {
    why: 'the certificate of its server is for another name',
    advice: 'see that the address is that of the issuer',
  },
  TIME: {
    why: 'the certificate of its server has expired, or is not valid yet',
    advice: 'have it renewed, and compare the clocks',
  },
};
