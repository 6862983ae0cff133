import { readFileSync } from 'node:fs';
import { Secret } from '../secret.js';
import { isLocal } from './database-url.js';

/** Where a collector of OpenTelemetry takes one kind of what it is sent. */
export interface CollectorAt {
  /** https://otel.example.com:4318/v1/traces */
  readonly url: string;
  /** A file with headers that the collector wants, such as a token: a line each. */
  readonly headersFile: string | undefined;
}

/** Where traces are sent to. */
export interface TracesAt extends CollectorAt {
  /** Which part of the requests is traced: from 0 to 1. */
  readonly sampling: number;
}

/** Where metrics are sent to. */
export interface MetricsTo extends CollectorAt {
  /** In milliseconds. */
  readonly everyMs: number;
}

/** What can be sent to a collector, by the words of OpenTelemetry. */
export const signals = ['traces', 'metrics'] as const;
export type Signal = (typeof signals)[number];

/** Reads the address of a collector. @returns a text where it cannot be read: what is wrong, without its value */
export function readCollector(text: string): URL | string {
  const form = 'must be the address of a collector, such as https://otel.example.com:4318';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) return form;
  if (url.username !== '' || url.password !== '')
    return 'must have no user and no password in it: headers are read from KEYWAY_OTEL_HEADERS_FILE';
  if (url.search !== '' || url.hash !== '') return form;
  if (url.protocol === 'http:' && !isLocal(url.hostname.replace(/^\[|\]$/g, '')))
    return 'must use https, unless the collector is on this machine';
  return url;
}

/** Where a collector takes a signal, as the specification says: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request */
export const signalAddress = (signal: Signal, collector: URL): string =>
  new URL(`${collector.pathname.replace(/\/+$/, '')}/v1/${signal}`, collector).href;

/** @throws an Error to show, which tells nothing of what is in it, where a file of headers cannot be used. */
export function expectHeaders(path: string): void {
  try {
    headersIn(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fault =
      code === undefined
        ? 'must name a file with a header a line, such as authorization: Bearer …'
        : `names a file that cannot be read (${code})`;
    throw new Error(`Keyway cannot start:\n  KEYWAY_OTEL_HEADERS_FILE ${fault}`, { cause: error });
  }
}

/** The headers in the text of such a file. @throws where a line is none */
export function headersIn(text: string): [string, Secret][] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name, value] =
        /^([\w-]+):[ \t]*([\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error('a line is no header');
      return [name.toLowerCase(), Secret.of(value)];
    });
}
