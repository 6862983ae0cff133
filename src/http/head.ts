import type { IncomingMessage } from 'node:http';

/** Why a request is refused by its address and headers alone, in words for its caller. */
export interface HeadRefusal {
  status: 400 | 415;
  message: string;
}

/**
 * What keeps the address and the body of a request from being read as what was sent: percent-encoded bytes that are no
 * UTF-8, a body that is compressed, and one that says to be in another encoding than UTF-8. Header values need no such
 * rule: Keyway understands none with a character outside of ASCII, and Node hands over each byte as one of its own.
 */
export function refusalOfHead({ url = '', headers, httpVersion }: IncomingMessage): HeadRefusal | undefined {
  if (headers.host === undefined && httpVersion !== '1.0')
    return { status: 400, message: 'The header Host is missing.' };
  if (!isDecodable(url))
    return { status: 400, message: 'The address is not UTF-8 in percent-encoding: encode it again.' };
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    return { status: 415, message: 'The body must not be compressed: leave Content-Encoding out.' };
  if (!charsetsOf(headers['content-type'] ?? '').every((charset) => /^utf-?8$/i.test(charset)))
    return {
      status: 415,
      message: 'The body must be in UTF-8: encode it so, and say charset=utf-8 or none.',
    };
  return undefined;
}

/** The address of a request as routes know it: without the path that Keyway lies below. */
export const addressBelow = (basePath: string, url: string): string =>
  url.startsWith(`${basePath}/`) ? url.slice(basePath.length) : url;

function isDecodable(url: string): boolean {
  // Node would hand over a byte that is not encoded as a character of its own.
  if (/[^!-~]/.test(url)) return false;
  try {
    decodeURIComponent(url);
    return true;
  } catch {
    return false;
  }
}

const charsetsOf = (type: string): string[] =>
  [...type.matchAll(/;\s*charset\s*=\s*(?:"([^"]*)"|([^;\s]*))/gi)].map(
    ([, quoted, plain]) => quoted ?? plain ?? '',
  );
