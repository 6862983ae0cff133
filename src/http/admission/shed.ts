import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.js';
import { overloaded } from '../../errors.js';
import { publicError, seconds } from '../../graph/errors/answer.js';
import { newId } from '../../ids.js';
import { scimError } from '../../scim/refusal.js';
import { always, costless } from '../failures.js';
import { addressBelow } from '../head.js';
import { mediaTypeFor } from '../media-type.js';
import { exposedHeaders } from '../rate-limit-headers.js';
import { scimPath } from '../scim-routes.js';

const status = 503;

/** Answers that there is no place, at the price of a write to the socket: nothing else of the request is looked at. */
export function shed(
  { url = '', headers }: IncomingMessage,
  response: ServerResponse,
  { basePath, corsOrigins }: Pick<Config, 'basePath' | 'corsOrigins'>,
): void {
  const id = newId();
  const error = overloaded();
  const path = addressBelow(basePath, url);
  const isGraph = /^\/graphql(\?|$)/.test(path);
  const isScim = path.startsWith(`${scimPath}/`);
  const type = isScim
    ? 'application/scim+json'
    : (isGraph && mediaTypeFor(headers.accept)) || 'application/json';
  const body = JSON.stringify(
    isScim
      ? scimError(status, error.message)
      : { errors: [publicError(error, id)], ...(isGraph && costless) },
  );
  const { origin } = headers;
  const isAllowed = origin !== undefined && corsOrigins.includes(origin);
  response
    .writeHead(status, {
      ...always(id),
      'cache-control': 'no-store',
      'content-type': `${type}; charset=utf-8`,
      'content-length': Buffer.byteLength(body),
      'retry-after': seconds(error.retryInMs ?? 0),
      ...(isAllowed && readableBy(origin)),
    })
    .end(body);
}

const readableBy = (origin: string) => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': exposedHeaders.join(', '),
  vary: 'Origin',
});
