/** What is signed: a line for each component, and one for the parameters (RFC 9421, section 2.5). */
export const signatureBaseOf = (
  covered: readonly (readonly [name: string, value: string])[],
  parameters: string,
): string =>
  [...covered, ['@signature-params', parameters] as const]
    .map(([name, value]) => `"${name}": ${value}`)
    .join('\n');

/** The HMAC-SHA-256 of a text under a key, in base64. */
export async function macOf(secret: Uint8Array<ArrayBuffer>, text: string): Promise<string> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  return base64(await crypto.subtle.sign('HMAC', key, bytes(text)));
}

/** The bytes of a text, in UTF-8. */
export const bytes = (text: string) => new TextEncoder().encode(text);

/** Bytes as base64 writes them. */
export const base64 = (buffer: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

export const hex = (given: Uint8Array): string =>
  [...given].map((byte) => byte.toString(16).padStart(2, '0')).join('');
