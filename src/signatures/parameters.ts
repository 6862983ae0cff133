/** A name and a value, decoded. */
export type Parameter = readonly [name: string, value: string];

const mostParameters = 1000;

/**
 * The parameters of a query or of a form, in the order in which they stand. A plus is a space in both: in forms by the
 * URL standard (WHATWG, application/x-www-form-urlencoded), and in queries because the readers behind, the Python of
 * Landscape as any `URLSearchParams`, read one like the other, while RFC 3986 alone would leave it a plus; who means a
 * plus writes `%2B`, as all signers do. Undefined for more than 1000, and for what readers differ on: a part without
 * `=`, a bare `;`, a `%` without two digits, and what is not UTF-8 or not ASCII.
 */
export function parseParameters(text: string): Parameter[] | undefined {
  if (text === '') return [];
  if (/[^\x21-\x7e]|;/.test(text)) return undefined;
  const parts = text.split('&', mostParameters + 1);
  if (parts.length > mostParameters) return undefined;
  const parameters: Parameter[] = [];
  for (const part of parts) {
    const end = part.indexOf('=');
    const name = end > 0 ? decoded(part.slice(0, end)) : undefined;
    const value = decoded(part.slice(end + 1));
    if (name === undefined || value === undefined) return undefined;
    parameters.push([name, value]);
  }
  return parameters;
}

/**
 * The parameters in their one order and spelling: by the bytes of their names, and percent-encoded but for the
 * unreserved characters of RFC 3986, section 2.3.
 */
export const canonicalParameters = (parameters: readonly Parameter[]): string =>
  parameters
    .map(([name, value]) => ({ bytes: Buffer.from(name), text: `${encoded(name)}=${encoded(value)}` }))
    .sort((one, other) => Buffer.compare(one.bytes, other.bytes))
    .map(({ text }) => text)
    .join('&');

/** `encodeURIComponent` leaves five characters that RFC 3986 reserves. */
export const encoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A percent sign without two digits, or bytes that are not UTF-8.
    return undefined;
  }
}
