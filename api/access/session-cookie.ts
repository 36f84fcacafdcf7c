/**
 * The cookie of the page's session. Browsers send a cookie by themselves, also for a page of another port of the same
 * host, so the cookie alone proves nothing: a request with it must also bear a header of ours. A page of another origin
 * can send that header only with our permission (CORS), which never extends to cookies.
 */
import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { PAGE_HEADER } from '../../contracts/session.ts';

/** The token in the cookie; null when there is none. */
export function sessionTokenIn(request: IncomingMessage): string | null {
  const cookies = request.headers.cookie ?? '';
  return new RegExp(`(?:^|; )${cookieName(request)}=([^;]+)`).exec(cookies)?.[1] ?? null;
}

/** @throws forbidden unless the page sent the request. */
export function assertFromPage({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site'];
  if (headers[PAGE_HEADER] === '1' && (site === undefined || site === 'same-origin')) return;
  throw new UnbrokenError(
    'forbidden',
    `The session of the page is for the page alone: ${PAGE_HEADER} is missing.`,
  );
}

/** @param token null removes the cookie. */
export function setSessionCookie(request: Request, response: Response, token: string | null): void {
  const attributes = {
    httpOnly: true,
    sameSite: 'strict',
    path: '/v1',
    // Set by a proxy that terminates TLS. A client that forges it harms only its own cookie.
    secure: request.secure || request.get('x-forwarded-proto') === 'https',
  } as const;
  if (token === null) response.clearCookie(cookieName(request), attributes);
  else response.cookie(cookieName(request), token, { ...attributes, maxAge: LIMITS.pageSessionMs });
}

/** Cookies do not distinguish ports, and a developer may run two installations on one host. */
function cookieName({ headers }: IncomingMessage): string {
  const port = /:(\d{1,5})$/.exec(headers.host ?? '')?.[1];
  return port === undefined ? 'unbroken_session' : `unbroken_session_${port}`;
}
