import { readFileSync } from 'node:fs';
import { isLocal } from './database-url.js';
import { Secret, utf8 } from '../secret.js';

/** A Redis, and who asks there. */
export interface RedisAt {
  readonly host: string;
  readonly port: number;
  /** Its socket, where it is reached by a file. */
  readonly path: string | undefined;
  readonly tls: boolean;
  /** The number of the database. */
  readonly database: number;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  /** The file with the password, where it is not in the address. */
  readonly passwordFile: string | undefined;
  /** What all keys begin with. */
  readonly prefix: string;
}

const forms = 'must be redis://host, rediss://user@host:6380/1, or unix:///path of a socket';

/**
 * Reads where Redis is.
 * @returns a text where it cannot be read: what is wrong, without its value
 */
export function readRedisAt(
  text: string,
  { passwordFile, prefix }: Pick<RedisAt, 'passwordFile' | 'prefix'>,
): RedisAt | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSocket = url?.protocol === 'unix:' && url.host === '' && url.pathname.length > 1;
  const [, database] = isSocket ? ['', '0'] : (/^\/?(\d{0,3})$/.exec(url?.pathname ?? '') ?? []);
  const isHost = url && /^rediss?:$/.test(url.protocol) && url.hostname !== '';
  if (!url || !(isSocket || isHost) || database === undefined) return forms;
  if (url.search !== '' || url.hash !== '')
    return 'cannot be used: a ? or # in it must be written as %3F or %23';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const tls = url.protocol === 'rediss:';
  if (!tls && !isLocal(host)) return 'must use TLS (rediss://), unless the server is on this machine';
  const [username, password, path] = [url.username, url.password, url.pathname].map(decoded);
  if (username === undefined || password === undefined || path === undefined)
    return 'cannot be used: a % in it must be written as %25';
  if (password !== '' && passwordFile !== undefined)
    return 'must have no password in it beside KEYWAY_REDIS_PASSWORD_FILE';
  return {
    host,
    port: Number(url.port) || usualPort,
    path: isSocket ? path : undefined,
    tls,
    database: Number(database),
    username: username || undefined,
    password: password === '' ? undefined : Secret.of(password),
    passwordFile,
    prefix,
  };
}

/** The password as it is now. @throws where its file cannot be read, or is not UTF-8 */
export function passwordOf({ password, passwordFile }: RedisAt): Secret | undefined {
  if (passwordFile === undefined) return password;
  const text = utf8(readFileSync(passwordFile));
  if (text === undefined) throw new Error('the file of KEYWAY_REDIS_PASSWORD_FILE is not UTF-8');
  return Secret.of(text.trim());
}

const usualPort = 6379;

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
