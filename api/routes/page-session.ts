/**
 * `/v1/session`: the session of the page. A key creates a link to the page with a one-time code, the page exchanges the
 * code for its cookie, and signing out ends the session.
 */
import express, { type RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { signInSchema } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { callerIn } from '../access/authenticate.ts';
import { assertFromPage, sessionTokenIn, setSessionCookie } from '../access/session-cookie.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseBody } from '../http/read-request.ts';
import { describeSession } from './get-session.ts';

const NO_LINK =
  'This link was used before, or has expired: it is valid once, for ten minutes. For a new one, run: npx unbroken open';

/** `POST /v1/session/links`. A session cannot create a link: it would never have to end. */
export function createSignInLink({ sessions }: Pick<ApiDependencies, 'sessions'>): RequestHandler {
  return async (_request, response) => {
    const caller = callerIn(response);
    if (caller.inPage === true) throw new UnbrokenError('forbidden', 'A link to the page needs an API key.');
    response.status(201).json(await sessions.issueLink(caller));
  };
}

/**
 * `POST /v1/session`, without a key. Wrong codes are limited by address. A good one is not, as behind a proxy all have
 * the same address: one could keep the others out.
 */
export function openPageSession({
  config,
  sessions,
  signIns,
}: Pick<ApiDependencies, 'config' | 'sessions' | 'signIns'>): RequestHandler[] {
  const describe = describeSession(config);
  return [
    (request, _response, next) => {
      assertFromPage(request);
      next();
    },
    express.json({ limit: LIMITS.signInBytes }),
    async (request, response) => {
      const opened = await sessions.open(parseBody(request, signInSchema).code);
      if (opened === null) {
        await signIns.admit(`sign-in:${request.ip ?? ''}`);
        throw new UnbrokenError('unauthorized', NO_LINK);
      }
      setSessionCookie(request, response, opened.token);
      response.json(describe(opened.caller));
    },
  ];
}

/** `DELETE /v1/session`: signs out. It also takes a request without a session, or with one that has ended. */
export function endPageSession({ sessions }: Pick<ApiDependencies, 'sessions'>): RequestHandler {
  return async (request, response) => {
    assertFromPage(request);
    const token = sessionTokenIn(request);
    if (token !== null) await sessions.end(token);
    setSessionCookie(request, response, null);
    response.status(204).end();
  };
}
