/** A key by which a change that is sent again is not done again. `crypto.randomUUID` is not there on a page that came by plain HTTP. */
export const newIdempotencyKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
