import { isIP } from 'node:net';
import { wrongUsage } from '../failure.js';

/**
 * The address of a Keyway, without a slash at its end.
 * @throws BAD_USER_INPUT for what is no address, has a user or password in it, or would carry a token in the clear to
 * another machine
 */
export function callAddress(text: string, isInsecure: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['https:', 'http:'].includes(url.protocol))
    throw wrongUsage('url', 'must be an address such as https://keyway.example.com');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw wrongUsage('url', 'must have no user, password, query or fragment in it');
  if (url.protocol === 'http:' && !isInsecure && !isLoopback(url.hostname))
    throw wrongUsage(
      'url',
      'must begin with https://: over http:// anybody on the way reads the token and all secrets. On this machine, or with --insecure, it may',
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));
