import type { Keyring } from '../keyring/keyring.js';
import { mintRecoveryCode } from '../keyring/token.js';
import type { Secret } from '../secret.js';

/** The codes that replace a lost device, each once; `kept` are the tags that recognize them. */
export interface RecoveryCodes {
  readonly codes: Secret[];
  readonly kept: Buffer[];
  /** The verifier key that they are made by. */
  readonly keyId: string;
}

const count = 10;

/** Fresh recovery codes of an account: ten of 80 bits. */
export function makeRecoveryCodes(keyring: Keyring, accountId: string): RecoveryCodes {
  const codes = Array.from({ length: count }, mintRecoveryCode);
  const keyId = keyring.currentVerifierId();
  return { codes, keyId, kept: codes.map((code) => keyring.mac(purpose, accountId, code.exposeBytes())) };
}

/** Which of the kept tags is that of this code, in capitals or not; undefined where none is. */
export const tagOfRecoveryCode = (
  keyring: Keyring,
  accountId: string,
  kept: readonly Uint8Array[],
  code: string,
): Uint8Array | undefined =>
  /^[A-Za-z2-7]{16}$/.test(code)
    ? kept.find((tag) => keyring.macMatches(purpose, tag, accountId, code.toUpperCase()))
    : undefined;

/** A recovery code as people are shown it: XXXX-XXXX-XXXX-XXXX. */
export const inGroups = (code: Secret): string => code.expose().match(/.{4}/g)?.join('-') ?? '';

const purpose = 'recovery-code';
