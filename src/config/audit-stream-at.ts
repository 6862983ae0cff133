import { isLocal } from './database-url.js';

/** Where the audit log is streamed to. */
export type AuditStreamAt =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'syslog';
      readonly transport: 'tcp' | 'tls' | 'udp';
      readonly host: string;
      readonly port: number;
    }
  /** The file has a bearer token; none is sent where there is none. */
  | { readonly kind: 'collector'; readonly url: string; readonly tokenFile: string | undefined };

const usualPorts = { tcp: 601, tls: 6514, udp: 514 };

const forms =
  'must be stdout, file:///path, syslog+tls://host, syslog+tcp://host, syslog+udp://host, or https://host/path';

/** Reads where the audit log is streamed to. @returns a text where it cannot be read: what is wrong, without its value */
export function readAuditStreamAt(text: string, tokenFile: string | undefined): AuditStreamAt | string {
  if (text === 'stdout') return { kind: 'stdout' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return forms;
  if (url.username !== '' || url.password !== '')
    return 'must have no user and no password in it: a token is read from KEYWAY_AUDIT_STREAM_TOKEN_FILE';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'file:') return host === '' && url.pathname.length > 1 ? fileAt(url.pathname) : forms;
  const [, transport] = /^syslog\+(tcp|tls|udp):$/.exec(url.protocol) ?? [];
  if (transport) {
    const by = transport as keyof typeof usualPorts;
    if (host === '' || !/^\/?$/.test(url.pathname)) return forms;
    return { kind: 'syslog', transport: by, host, port: Number(url.port) || usualPorts[by] };
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal(host)))
    return { kind: 'collector', url: url.href, tokenFile };
  return url.protocol === 'http:' ? 'must use https, unless the collector is on this machine' : forms;
}

function fileAt(pathname: string): AuditStreamAt | string {
  try {
    const path = decodeURIComponent(pathname);
    return path.includes('\0') ? forms : { kind: 'file', path };
  } catch {
    return 'must have a % in it written as %25';
  }
}
