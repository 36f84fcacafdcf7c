/** Who calls: the key of `Authorization: Bearer`, looked up by its hash. */
import type { IncomingMessage } from 'node:http';
import type { RequestHandler, Response } from 'express';
import { UnbrokenError } from '../contracts/errors.ts';
import type { ApiKeys, Caller, Scope } from './api-keys.ts';

export function authenticate({ keys }: { keys: ApiKeys }): RequestHandler {
  return async (request, response, next) => {
    response.locals['caller'] = await callerOf(keys, request);
    next();
  };
}

export async function callerOf(keys: ApiKeys, request: IncomingMessage): Promise<Caller> {
  const key = /^Bearer (\S{8,256})$/.exec(request.headers.authorization ?? '')?.[1];
  if (key === undefined) throw new UnbrokenError('unauthorized', 'The request has no API key.');
  const caller = await keys.find(key);
  if (caller === null) throw new UnbrokenError('unauthorized', 'The API key is not known.');
  return caller;
}

/** Lets pass who has the scope. After `authenticate`. */
export function requireScope(scope: Scope): RequestHandler {
  return (_request, response, next) => {
    const { scopes } = callerIn(response);
    next(
      scopes.includes(scope)
        ? undefined
        : new UnbrokenError('forbidden', `The API key has no scope "${scope}".`),
    );
  };
}

/** The caller of a request that `authenticate` let pass. */
export function callerIn(response: Response): Caller {
  const caller: Caller | undefined = response.locals['caller'];
  if (caller === undefined) throw new UnbrokenError('unauthorized', 'The request has no API key.');
  return caller;
}
