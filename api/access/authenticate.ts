/**
 * Finds the caller of a request and its rights: by the key in a header, by the ticket in the URL of a stream, or by the
 * cookie of the page.
 */
import type { IncomingMessage } from 'node:http';
import type { RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Scope } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ApiKeys, Caller } from './api-keys.ts';
import type { PageSessions } from './page-sessions.ts';
import { assertFromPage, sessionTokenIn } from './session-cookie.ts';
import type { Tickets } from './tickets.ts';

const SESSION_ENDED = 'The session of the page has ended. For a new link, run: npx unbroken open';

export interface Credentials {
  readonly keys: ApiKeys;
  readonly tickets: Tickets;
  readonly sessions: PageSessions;
}

export function authenticate(credentials: Pick<Credentials, 'keys' | 'sessions'>): RequestHandler {
  return async (request, response, next) => {
    response.locals['caller'] = await callerByKeyOrCookie(credentials, request);
    next();
  };
}

/** For streams, which a browser opens without headers of ours: also takes `?ticket=`. */
export function authenticateStream(credentials: Credentials): RequestHandler {
  return async (request, response, next) => {
    const ticket = ticketIn(request);
    response.locals['caller'] = await (ticket === null
      ? callerByKeyOrCookie(credentials, request)
      : callerByTicket(credentials, ticket));
    if (ticket !== null) renewUntilClosed(credentials.tickets, ticket, response);
    next();
  };
}

function renewUntilClosed(tickets: Tickets, ticket: string, response: Response): void {
  const renewing = setInterval(() => {
    // A ticket that was not renewed expires, and the client's next connection gets 401.
    tickets.renew(ticket).catch(() => clearInterval(renewing));
  }, LIMITS.ticketMs / 3);
  response.once('close', () => clearInterval(renewing));
}

/** The caller of a WebSocket, by ticket or key. Never by cookie, which browsers send from any page. */
export async function callerOfSocket(
  credentials: Pick<Credentials, 'keys' | 'tickets'>,
  request: IncomingMessage,
): Promise<Caller> {
  const ticket = ticketIn(request);
  return ticket === null ? callerByKey(credentials.keys, request) : callerByTicket(credentials, ticket);
}

async function callerByTicket({ tickets }: Pick<Credentials, 'tickets'>, ticket: string): Promise<Caller> {
  const caller = await tickets.redeem(ticket);
  if (caller === null) throw new UnbrokenError('unauthorized', 'The ticket was used before, or has expired.');
  return caller;
}

function ticketIn(request: IncomingMessage): string | null {
  const query = request.url?.split('?')[1];
  return query === undefined ? null : new URLSearchParams(query).get('ticket');
}

/** @throws forbidden when the caller lacks the scope. `operator` is `admin` of every tenant. */
export function requireScope(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    assertScope(callerIn(response), scope);
    next();
  };
}

export function hasScope({ scopes }: Caller, scope: Scope): boolean {
  return scopes.includes(scope) || (scope === 'admin' && scopes.includes('operator'));
}

export function assertScope(caller: Caller, scope: Scope): void {
  if (hasScope(caller, scope)) return;
  throw new UnbrokenError('forbidden', `This needs a key with the scope ${scope}.`);
}

/** The user that a request debits. @throws forbidden when the caller may not act for the user that it names. */
export function userFor(caller: Caller, user: string | undefined): string {
  if (user === undefined || user === caller.user) return caller.user;
  assertScope(caller, 'any-user');
  return user;
}

/** Whether the caller sees what all users of its tenant have used, and their stored answers. */
export function seesTenant(caller: Caller): boolean {
  return hasScope(caller, 'admin') || hasScope(caller, 'any-user');
}

/**
 * The user whose usage or stored answers are shown; undefined: all of the tenant.
 * @throws forbidden when the caller sees its own user alone and names another.
 */
export function visibleUser(caller: Caller, user: string | undefined): string | undefined {
  if (seesTenant(caller)) return user;
  if (user !== undefined && user !== caller.user) {
    throw new UnbrokenError('forbidden', 'This needs a key with the scope admin or any-user.');
  }
  return caller.user;
}

/** The caller of a request that has passed `authenticate`. */
export function callerIn(response: Response): Caller {
  const caller: Caller | undefined = response.locals['caller'];
  if (caller === undefined) throw new UnbrokenError('unauthorized', 'The request has no API key.');
  return caller;
}

async function callerByKeyOrCookie(
  { keys, sessions }: Pick<Credentials, 'keys' | 'sessions'>,
  request: IncomingMessage,
): Promise<Caller> {
  const { authorization, 'x-api-key': bare } = request.headers;
  const token = authorization === undefined && bare === undefined ? sessionTokenIn(request) : null;
  if (token === null) return callerByKey(keys, request);
  assertFromPage(request);
  const caller = await sessions.callerOf(token);
  if (caller === null) throw new UnbrokenError('unauthorized', SESSION_ENDED);
  return caller;
}

async function callerByKey(keys: ApiKeys, request: IncomingMessage): Promise<Caller> {
  const { authorization, 'x-api-key': bare } = request.headers;
  const bearer = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  const key = bearer ?? (typeof bare === 'string' ? bare : undefined);
  if (key === undefined) throw new UnbrokenError('unauthorized', 'The request has no API key.');
  const caller = /^\S{8,256}$/.test(key) ? await keys.find(key) : null;
  if (caller === null) {
    throw new UnbrokenError('unauthorized', 'The API key is unknown, has expired or was revoked.');
  }
  return caller;
}
