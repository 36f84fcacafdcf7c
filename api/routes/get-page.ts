/** `GET /` and its assets: the page that clients/web/build.ts builds. Nothing in it is inline or from another host. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';

const BUILT = join(import.meta.dirname, '..', '..', 'clients', 'web', 'dist');

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
} as const;

export function getPage(): RequestHandler {
  return (_request, response, next) => {
    if (!existsSync(join(BUILT, 'index.html'))) {
      throw new UnbrokenError(
        'not_found',
        'The page is not built; npm start builds it, or: node clients/web/build.ts',
      );
    }
    response.set(HEADERS).set('cache-control', 'no-cache');
    response.sendFile('index.html', { root: BUILT, cacheControl: false }, (error) => {
      if (error) next(error);
    });
  };
}

/** Their names contain a hash of the content, so a browser may keep them for ever. */
export function getAssets(): RequestHandler {
  return express.static(join(BUILT, 'assets'), {
    index: false,
    cacheControl: false,
    setHeaders: (response) => response.setHeader('cache-control', 'public, max-age=31536000, immutable'),
  });
}
