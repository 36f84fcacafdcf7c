/** `GET /docs/...`: the documentation site that tools/docs/build.ts builds. */
import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import express, { type Request, type RequestHandler, Router } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';

const BUILT = join(import.meta.dirname, '..', '..', 'docs', 'dist');
const NOT_BUILT = 'The documentation is not built yet.';
const RETRY_AFTER_SECONDS = 3;

const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    // The icons of the theme are in its style sheet.
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    // Vue inserts the HTML of pages, which was built beforehand, through a policy of this name.
    'trusted-types vue',
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
} as const;

const WAITING = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${RETRY_AFTER_SECONDS}">
<title>Unbroken: documentation</title>
<p>${NOT_BUILT} <code>npm start</code> builds it in the background within some seconds, and then this page shows it.
Elsewhere, <code>npm run docs</code> builds it.</p>
</html>
`;

export function getDocs(): Router {
  const docs = Router();
  // The names of assets contain a hash of the content, so a browser may keep them for ever.
  docs.use('/assets', filesOf(join(BUILT, 'assets'), 'public, max-age=31536000, immutable'));
  docs.use(filesOf(BUILT, 'no-cache'));
  docs.get('/{*path}', refuse());
  return docs;
}

/** Whether a request comes from the address bar of a browser, for which the site is built. */
export function isForSite(request: Request): boolean {
  return request.accepts(['text/markdown', 'text/html']) === 'text/html' && isBuilt();
}

function filesOf(folder: string, caching: string): RequestHandler {
  return express.static(folder, {
    extensions: ['html'],
    cacheControl: false,
    setHeaders: (response: ServerResponse) => {
      response.setHeaders(new Map(Object.entries(HEADERS)));
      response.setHeader('cache-control', caching);
    },
  });
}

function refuse(): RequestHandler {
  return (request, response) => {
    response.vary('Accept');
    if (request.accepts(['json', 'html']) !== 'html') {
      throw isBuilt()
        ? new UnbrokenError('not_found', 'The documentation has no such page.')
        : new UnbrokenError('service_unavailable', `${NOT_BUILT} npm run docs builds it.`);
    }
    response.set(HEADERS).set('cache-control', 'no-store');
    if (isBuilt()) response.status(404).sendFile('404.html', { root: BUILT, cacheControl: false });
    else response.status(503).set('retry-after', `${RETRY_AFTER_SECONDS}`).type('html').send(WAITING);
  };
}

function isBuilt(): boolean {
  return existsSync(join(BUILT, 'index.html'));
}
