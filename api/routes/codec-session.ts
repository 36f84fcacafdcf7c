/**
 * `/v1/codec/session`: lets the Temporal UI in one browser decrypt payloads. The UI can send cookies to its codec
 * endpoint but no API key. So an admin enters the key here once, and the browser gets a cookie that is valid for
 * nothing else.
 */
import express, { type RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { assertScope, authenticate, type Credentials } from '../access/authenticate.ts';

const COOKIE = 'unbroken_codec';
const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Decrypt in the Temporal UI</title>
<h1>Decrypt in the Temporal UI</h1>
<form method="post"><label>API key with the scope admin
<input name="key" type="password" autocomplete="off" required></label> <button>Allow this browser</button></form>
</html>
`;

/** `GET`: the form. */
export function showCodecForm(): RequestHandler {
  return (_request, response) => {
    response.type('html').send(PAGE);
  };
}

/**
 * `POST`: sets the cookie for eight hours. Pages of other sites can neither read the answer nor get the cookie sent.
 */
export function openCodecSession({ keys, tickets }: Pick<Credentials, 'keys' | 'tickets'>): RequestHandler[] {
  return [
    express.urlencoded({ extended: false, limit: LIMITS.headerBytes, parameterLimit: 4 }),
    async (request, response) => {
      const key: unknown = request.body?.key;
      const caller = typeof key === 'string' ? await keys.find(key.trim()) : null;
      if (caller === null)
        throw new UnbrokenError('unauthorized', 'The API key is unknown, has expired or was revoked.');
      assertScope(caller, 'admin');
      const token = await tickets.issueForCodec(caller);
      response.cookie(COOKIE, token, {
        httpOnly: true,
        sameSite: 'strict',
        path: '/v1/codec',
        // Set by a proxy that terminates TLS. A client that forges it harms only its own cookie.
        secure: request.secure || request.get('x-forwarded-proto') === 'https',
        maxAge: LIMITS.codecSessionMs,
      });
      response.type('text').send('This browser may now decrypt. You can close this page.\n');
    },
  ];
}

/** Accepts a key in a header, or the cookie of `openCodecSession`. */
export function authenticateCodec({ keys, tickets, sessions }: Credentials): RequestHandler {
  const byKey = authenticate({ keys, sessions });
  return async (request, response, next) => {
    const cookie = new RegExp(`(?:^|; )${COOKIE}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
    const caller = cookie === undefined ? null : await tickets.callerForCodec(cookie);
    if (caller === null) {
      await byKey(request, response, next);
    } else {
      response.locals['caller'] = caller;
      next();
    }
  };
}
