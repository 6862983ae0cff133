import { randomBytes, timingSafeEqual } from 'node:crypto';
import { HOTP, Secret as OtpSecret, TOTP } from 'otpauth';
import { Secret } from '../secret.js';

// What authenticator apps expect: many take no notice of a URI that says otherwise.
const algorithm = 'SHA1';
const digits = 6;
const period = 30;
const secretBytes = 20;

/** A fresh secret for codes: 160 bits, as RFC 4226 (section 4, R6) recommends. */
export const mintTotpSecret = (): Secret => Secret.of(randomBytes(secretBytes));

/**
 * The time step whose code this is: the one of `atMs` (milliseconds since 1970), the one before or the one after
 * (RFC 6238, section 5.2). Undefined for every other text. It takes as long whatever the code: all three are compared.
 */
export function totpStep(secret: Secret, code: string, atMs: number): number | undefined {
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const given = Buffer.from(code);
  const now = TOTP.counter({ period, timestamp: atMs });
  let found: number | undefined;
  // Of two steps with one code the later is taken: then neither is left to be used again.
  for (const counter of [now - 1, now, now + 1]) {
    const right = HOTP.generate({ secret: otpSecret(secret), algorithm, digits, counter });
    if (timingSafeEqual(Buffer.from(right), given)) found = counter;
  }
  return found;
}

/**
 * The URI by which an authenticator app takes over a secret, which it holds: a secret itself.
 * @param label what the app shows beside «Keyway». Format: github.com/google/google-authenticator/wiki/Key-Uri-Format
 */
export const otpauthUri = (secret: Secret, label: string): Secret =>
  Secret.of(
    new TOTP({ issuer: 'Keyway', label, algorithm, digits, period, secret: otpSecret(secret) }).toString(),
  );

// A copy, since a small Buffer shares its memory with others.
const otpSecret = (secret: Secret) => new OtpSecret({ buffer: Uint8Array.from(secret.exposeBytes()).buffer });
