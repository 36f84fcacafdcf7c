/** Who calls, and what they may: a key of a header, looked up by its hash, or the ticket of a stream's URL. */
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

/** For streams, which a browser opens without headers: takes `?ticket=` as well. */
export function authenticateStream(credentials: Credentials): RequestHandler {
  return async (request, response, next) => {
    response.locals['caller'] = await callerOf(credentials, request);
    const ticket = ticketIn(request);
    if (ticket !== null) keepGood(credentials.tickets, ticket, response);
    next();
  };
}

function keepGood(tickets: Tickets, ticket: string, response: Response): void {
  const renewing = setInterval(() => {
    // One that could not be renewed is found void by whoever comes back with it.
    tickets.renew(ticket).catch(() => clearInterval(renewing));
  }, LIMITS.ticketMs / 3);
  response.once('close', () => clearInterval(renewing));
}

/** The caller of a stream, by ticket or key. */
export async function callerOf({ keys, tickets }: Credentials, request: IncomingMessage): Promise<Caller> {
  const ticket = ticketIn(request);
  if (ticket === null) return callerByKey(keys, request);
  const caller = await tickets.redeem(ticket);
  if (caller === null) throw new UnbrokenError('unauthorized', 'The ticket was used before, or is too old.');
  return caller;
}

function ticketIn(request: IncomingMessage): string | null {
  const query = request.url?.split('?')[1];
  return query === undefined ? null : new URLSearchParams(query).get('ticket');
}

/** @throws forbidden where the caller of the request lacks the scope. `operator` is `admin` of every tenant. */
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

/** Whom a request debits. @throws forbidden where the caller may not act for the user that the request names. */
export function userFor(caller: Caller, named: string | undefined): string {
  if (named === undefined || named === caller.user) return caller.user;
  assertScope(caller, 'any-user');
  return named;
}

/** The caller of a request that `authenticate` let pass. */
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
    throw new UnbrokenError('unauthorized', 'The API key is not known, has expired or was revoked.');
  }
  return caller;
}
