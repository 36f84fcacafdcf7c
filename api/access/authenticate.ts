/** Finds the caller of a request and its rights: by the key in a header, or by the ticket in the URL of a stream. */
import type { IncomingMessage } from 'node:http';
import type { RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Scope } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ApiKeys, Caller } from './api-keys.ts';
import type { Tickets } from './tickets.ts';

export interface Credentials {
  readonly keys: ApiKeys;
  readonly tickets: Tickets;
}

export function authenticate({ keys }: Pick<Credentials, 'keys'>): RequestHandler {
  return async (request, response, next) => {
    response.locals['caller'] = await callerByKey(keys, request);
    next();
  };
}

/** For streams, which a browser opens without headers of ours: also takes `?ticket=`. */
export function authenticateStream(credentials: Credentials): RequestHandler {
  return async (request, response, next) => {
    response.locals['caller'] = await callerOf(credentials, request);
    const ticket = ticketIn(request);
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

/** The caller of a stream, by ticket or key. */
export async function callerOf({ keys, tickets }: Credentials, request: IncomingMessage): Promise<Caller> {
  const ticket = ticketIn(request);
  if (ticket === null) return callerByKey(keys, request);
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

/** The caller of a request that has passed `authenticate`. */
export function callerIn(response: Response): Caller {
  const caller: Caller | undefined = response.locals['caller'];
  if (caller === undefined) throw new UnbrokenError('unauthorized', 'The request has no API key.');
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
