import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { installed } from '../config/installed.js';
import type { SignIn } from '../config/sign-in.js';
import { KeywayError } from '../errors.js';

/**
 * The paths of the console's views: whichever is opened or loaded again, the page is the same. Only where it lies is told by
 * how deep the path is, so that a proxy may put anything before it.
 */
const views = {
  './': ['/', '/credentials', '/stores', '/access', '/audit'],
  '../': ['/credentials/:id', '/stores/new', '/access/:id'],
};

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface File {
  type: string;
  bytes: Buffer;
  gzip: Buffer;
}

/**
 * Serves the console as it was built: its page for each of its views, and what the page asks for. A file is named by what
 * is in it, so that whoever has it never asks again.
 * @param signIns how people sign in besides by a token: the page is told, and may call these issuers
 */
export function addConsole(app: FastifyInstance, signIns: readonly SignIn[]): void {
  let read: { page: string; files: ReadonlyMap<string, File> } | undefined;
  // Not before somebody looks at it.
  const built = () => (read ??= readBuilt());
  const told = `<meta name="keyway-sign-in" content="${escaped(JSON.stringify(signIns))}" />`;
  const called = signIns.flatMap(({ issuer, origins }) => [new URL(issuer).origin, ...origins]);

  for (const [base, paths] of Object.entries(views))
    for (const path of paths)
      app.get(path, async (_, reply) => {
        const nonce = randomBytes(16).toString('base64');
        const head = `<base href="${base}" /><meta property="csp-nonce" nonce="${nonce}" />${told}`;
        return reply
          .headers({
            'content-security-policy': policyWith(nonce, called),
            'content-type': 'text/html; charset=utf-8',
            'cache-control': 'no-cache',
          })
          .send(built().page.replace('<base href="/" />', () => head));
      });
  app.get('/assets/:name', async (request: FastifyRequest<{ Params: { name: string } }>, reply) => {
    const file = built().files.get(request.params.name);
    if (!file) throw new KeywayError('NOT_FOUND', 'There is nothing at this address.');
    return send(request, reply, file);
  });
}

function send({ headers }: FastifyRequest, reply: FastifyReply, { type, bytes, gzip }: File): FastifyReply {
  void reply.headers({
    'content-type': type,
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
  });
  return /\bgzip\b/.test(String(headers['accept-encoding']))
    ? reply.header('content-encoding', 'gzip').send(gzip)
    : reply.send(bytes);
}

/** @throws UNAVAILABLE where it was not built: Keyway serves all else without it. */
function readBuilt() {
  const folder = installed('dist/console');
  if (!existsSync(join(folder, 'index.html')))
    throw new KeywayError('UNAVAILABLE', 'The console is not built: run npm run build.');
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const files = new Map(
    readdirSync(join(folder, 'assets')).map((name): [string, File] => {
      const bytes = readFileSync(join(folder, 'assets', name));
      const type = types[extname(name)] ?? 'application/octet-stream';
      return [name, { type, bytes, gzip: gzipSync(bytes) }];
    }),
  );
  return { page, files };
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

const policyWith = (nonce: string, called: readonly string[]) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self'",
    ["connect-src 'self'", ...new Set(called)].join(' '),
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types default',
  ].join('; ');
