/** What TLS an address asks for: `local` needs none, `verified` is the rule, `unverified` is for trials only. */
export type DatabaseTls = 'local' | 'verified' | 'unverified' | 'none';

/** Where PostgreSQL is, who asks, and what its sessions are to be like. */
export interface DatabaseAddress {
  /** A host, an address, or the folder of a socket; left to PGHOST where undefined, as all that is left out here. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly tls: DatabaseTls;
  /** Paths of PEM files. */
  readonly files: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  readonly channelBinding: boolean;
  /** Whether a pooler is between that does not show itself. */
  readonly pooled: boolean;
  /** Where the tables are; where the search path leads, where undefined. */
  readonly schema: string | undefined;
  /** What `options` asks of a session, by name. */
  readonly settings: ReadonlyMap<string, string>;
}

/**
 * Reads the address of a PostgreSQL, with the parameters that libpq gives it
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS), and `schema`.
 * @throws DatabaseUrlError where a part cannot be read, or asks for something that Keyway does not do. It names the
 * part, and never holds its value.
 */
export function readDatabaseUrl(text: string): DatabaseAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol))
    throw new DatabaseUrlError('must be a PostgreSQL address: postgres://user@host/database');
  if (url.hash !== '' || text.endsWith('#'))
    throw new DatabaseUrlError('cannot be used: a # in it must be written as %23');
  const given = parametersOf(url);
  const host = given('host') ?? decoded(url.hostname.replace(/^\[|\]$/g, ''));
  if (host?.includes(',') || given('port')?.includes(','))
    throw new DatabaseUrlError('must name one host: a list of them is not supported');
  const port = given('port') ?? (url.port || undefined);
  const files = {
    ...part('ca', ownCa(given('sslrootcert'))),
    ...part('cert', given('sslcert')),
    ...part('key', given('sslkey')),
  };
  return {
    host,
    port: port === undefined ? undefined : whole('port', port, 65_535),
    user: given('user') ?? decoded(url.username),
    password: given('password') ?? decoded(url.password),
    database: given('dbname') ?? decoded(url.pathname.slice(1)),
    tls: tlsOf(host ?? '', sslMode(given('sslmode'), given('ssl')), given('sslrootcert') !== undefined),
    files,
    applicationName: given('application_name') ?? given('fallback_application_name') ?? 'keyway',
    connectTimeoutMs: Math.min(
      whole('connect_timeout', given('connect_timeout') ?? '5', 86_400) * 1_000,
      longestConnectMs,
    ),
    channelBinding: given('channel_binding', (value) => ['disable', 'prefer'].includes(value)) === 'prefer',
    pooled: given('pgbouncer', (value) => ['true', 'false'].includes(value)) === 'true',
    schema: given('schema'),
    settings: settingsOf(given('options') ?? ''),
  };
}

/** Says what is wrong with the address, to follow upon the name of the variable that holds it. */
export class DatabaseUrlError extends Error {}

/** A request does not wait longer for a connection, whatever `connect_timeout` says. */
const longestConnectMs = 5_000;

const known = new Set([
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'ssl',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'application_name',
  'fallback_application_name',
  'connect_timeout',
  'channel_binding',
  'target_session_attrs',
  'client_encoding',
  'pgbouncer',
  'schema',
  'options',
]);

/** What to do instead, where a value or a parameter is often met and cannot be had. */
const hints: Readonly<Record<string, string>> = {
  channel_binding: 'must be prefer or disable: whether it is used is up to the server',
  client_encoding: 'must be UTF8',
  target_session_attrs: 'must be any, read-write or primary: Keyway writes',
  currentSchema: 'is not known to Keyway: its name is schema',
  search_path: 'is not known to Keyway: its name is schema',
  pgbouncer: 'must be true or false',
  connection_limit: 'is not known to Keyway: see KEYWAY_DATABASE_POOL',
};

type Given = (name: string, allowed?: (value: string) => boolean) => string | undefined;

function parametersOf(url: URL): Given {
  // Bytes that are no UTF-8 would be read as others, in a password too.
  decoded(url.search);
  for (const name of url.searchParams.keys()) {
    // What is not a plain word is not repeated: it may be a part of a password that was not encoded.
    const shown = /^[a-zA-Z_]{1,40}$/.test(name) ? `: its parameter ${name}` : ': one of its parameters';
    if (!known.has(name)) throw new DatabaseUrlError(`cannot be used${shown} ${hintFor(name)}`);
    if (url.searchParams.getAll(name).length > 1)
      throw new DatabaseUrlError(`cannot be used: its parameter ${name} is given more than once`);
  }
  const given: Given = (name, allowed) => {
    const value = url.searchParams.get(name) ?? undefined;
    if (value === undefined || value === '') return undefined;
    if (allowed && !allowed(value))
      throw new DatabaseUrlError(`cannot be used: its parameter ${name} ${hintFor(name)}`);
    return value;
  };
  given('target_session_attrs', (value) => ['any', 'read-write', 'primary'].includes(value));
  given('client_encoding', (value) => /^(utf-?8|auto)$/i.test(value));
  return given;
}

const hintFor = (name: string): string =>
  (Object.hasOwn(hints, name) && hints[name]) || 'is not known to Keyway';

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/** `ssl` is what `pg` and others take for `sslmode`. */
function sslMode(mode: string | undefined, ssl: string | undefined): string | undefined {
  const asked = mode ?? (ssl === undefined ? undefined : (switches[ssl] ?? ssl));
  if (asked !== undefined && !modes.includes(asked))
    throw new DatabaseUrlError(
      `cannot be used: its parameter ${mode === undefined ? 'ssl' : 'sslmode'} must be one of ${modes.join(', ')}`,
    );
  return asked;
}

const switches: Readonly<Record<string, string>> = {
  true: 'require',
  1: 'require',
  false: 'disable',
  0: 'disable',
};

function tlsOf(host: string, mode: string | undefined, ownAuthority: boolean): DatabaseTls {
  if (mode === 'no-verify') return 'unverified';
  const isOpen = mode === 'disable' || mode === 'allow' || mode === 'prefer';
  if (!isOpen && (mode !== undefined || ownAuthority)) return 'verified';
  if (isLocal(host)) return 'local';
  return isOpen ? 'none' : 'verified';
}

/** Whether a host, or the folder of a socket, is on this machine. */
export const isLocal = (host: string): boolean =>
  host === '' ||
  host === 'localhost' ||
  host === '::1' ||
  /^127(\.\d{1,3}){3}$/.test(host) ||
  host.startsWith('/');

/**
 * The settings in `options`, read as the server reads them: parted by spaces, a backslash taking what follows as it is.
 * Only `-c name=value`, `-cname=value` and `--name=value` have a meaning for a session of Keyway's.
 */
function settingsOf(options: string): Map<string, string> {
  const words = [...options.matchAll(/(?:\\[\s\S]|[^\\\s])+/g)].map(([word]) => word);
  const faulty = /(?<!\\)(?:\\\\)*\\$/.test(options);
  const settings = new Map<string, string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] === '-c' ? `-c${words[++at] ?? ''}` : (words[at] ?? '');
    const [, name, value] = /^(?:-c|--)([a-zA-Z][\w.-]*)=([\s\S]*)$/.exec(word) ?? [];
    if (faulty || name === undefined || value === undefined)
      throw new DatabaseUrlError('cannot be used: its parameter options must be of the form -c name=value');
    // As the server does, which knows statement-timeout for statement_timeout.
    settings.set(name.toLowerCase().replaceAll('-', '_'), value.replace(/\\([\s\S])/g, '$1'));
  }
  return settings;
}

function whole(name: string, text: string, most: number): number {
  const number = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new DatabaseUrlError(`cannot be used: its ${name} must be a whole number from 1 to ${most}`);
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text) || undefined;
  } catch {
    throw new DatabaseUrlError('cannot be used: a % in it must be written as %25');
  }
}

/** `system` are the authorities that are trusted anyway. */
const ownCa = (path: string | undefined) => (path === 'system' ? undefined : path);

const part = <Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> =>
  value === undefined ? {} : ({ [name]: value } as Record<Name, string>);
