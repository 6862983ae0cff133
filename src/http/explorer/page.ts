import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import type * as graphiql from '@graphql-yoga/render-graphiql';
import { examples, type Brought, type Example } from './examples.js';
import { logo, tokenBar } from './token-bar.js';

/** The page as it is sent; `contentSecurityPolicy` and `etag` are the headers of these names. */
export interface ExplorerPage {
  html: string;
  gzip: Buffer;
  etag: string;
  contentSecurityPolicy: string;
}

/**
 * The page that people explore the graph in: GraphiQL, its examples, and a place for the token. It carries all that it
 * needs, asks no host but its own, and runs no script but those that its policy names.
 * @param brought the values of a store to connect, where they are known
 */
export function explorerPage(brought?: Brought): ExplorerPage {
  const page = pages.get(brought) ?? render(brought);
  pages.set(brought, page);
  return page;
}

const pages = new Map<Brought | undefined, ExplorerPage>();

function render(brought: Brought | undefined): ExplorerPage {
  const all = examples(new Date(), brought);
  const html = before('<div id="root"></div>', tokenBar(all), bareGraphiql(all));
  return {
    html,
    gzip: gzipSync(html),
    etag: `"${digest(html, 'base64url')}"`,
    contentSecurityPolicy: policyFor(html),
  };
}

function bareGraphiql(all: readonly Example[]): string {
  // Nine megabytes, loaded by those alone who serve the page.
  const load = createRequire(import.meta.url) as (name: string) => typeof graphiql;
  return load('@graphql-yoga/render-graphiql').renderGraphiQL({
    title: 'Keyway',
    logo,
    favicon: `data:image/svg+xml;base64,${Buffer.from(logo).toString('base64')}`,
    // Beside the page, whatever path a proxy has put before both.
    endpoint: 'graphql',
    method: 'POST',
    defaultTabs: all.map(({ query, variables }) => ({ query, variables: variables ?? null })),
    // The token has its own place, which ends with the tab.
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
  });
}

function before(mark: string, insertion: string, html: string): string {
  const at = html.indexOf(mark);
  if (at < 0) throw new Error('The explorer does not know this version of GraphiQL.');
  return html.slice(0, at) + insertion + html.slice(at);
}

const policyFor = (html: string) =>
  [
    "default-src 'none'",
    `script-src ${[...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => `'sha256-${digest(script, 'base64')}'`).join(' ')}`,
    'worker-src blob:',
    // The editor writes its rules as it goes; no hash can know them.
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const digest = (text: string, encoding: 'base64' | 'base64url') =>
  createHash('sha256').update(text).digest(encoding);
