import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.js';
import { addConsole } from './console.js';
import { explorerPage } from './explorer/page.js';

/** What people look at in a browser: the console at `/`, the explorer at `/explore`; each as far as it is switched on. */
export function addPages(app: FastifyInstance, config: Config): void {
  const { basePath, console, explorer, exampleStore, jwtIssuers } = config;
  // Pages ask for what lies beside them.
  if (basePath !== '' && (console || explorer))
    app.get(basePath, async (_, reply) => reply.redirect(`${basePath}/`, 308));
  if (console)
    addConsole(
      app,
      jwtIssuers.flatMap((issuer) => issuer.console ?? []),
    );
  else if (explorer) app.get('/', async (_, reply) => reply.redirect(`${basePath}/explore`, 302));
  if (explorer) addExplorer(app, exampleStore);
}

function addExplorer(app: FastifyInstance, exampleStore: Config['exampleStore']): void {
  app.get('/explore', async ({ headers }, reply) => {
    const { html, gzip, etag, contentSecurityPolicy } = explorerPage(exampleStore);
    void reply.headers({
      'content-security-policy': contentSecurityPolicy,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag,
      vary: 'accept-encoding',
    });
    if (headers['if-none-match'] === etag) return reply.code(304).send();
    if (!/\bgzip\b/.test(String(headers['accept-encoding']))) return reply.send(html);
    return reply.header('content-encoding', 'gzip').send(gzip);
  });
}
