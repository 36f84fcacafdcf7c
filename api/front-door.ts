/** What every request passes before its route: headers that browsers heed, CORS, the limits of its key and its body. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import cors from 'cors';
import express, { type RequestHandler } from 'express';
import type { Config } from '../config/load-config.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import { LIMITS } from '../contracts/limits.ts';
import type { Caller } from './api-keys.ts';
import { assertScope, type Credentials, callerIn, callerOf } from './authenticate.ts';
import { jsonDepth } from './json-depth.ts';
import type { OpenConnections } from './open-connections.ts';
import type { RateLimiter } from './rate-limiter.ts';

export interface CallerLimits {
  readonly rate: RateLimiter;
  readonly connections: OpenConnections;
}

/** The API answers data, never a page: no browser shall run, frame or keep it. A route that serves pages sets its own. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function securityHeaders(): RequestHandler {
  return (_request, response, next) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    next();
  };
}

/** RFC 9112, 3.2. Node would refuse it too, but without saying why. */
export function requireHost(): RequestHandler {
  return (request, _response, next) => {
    const isMissing = request.httpVersion === '1.1' && request.headers.host === undefined;
    next(isMissing ? new UnbrokenError('invalid_request', 'The request has no header Host.') : undefined);
  };
}

/** Pages of these origins may call; "*" is all. Keys and tickets are sent by code, never by the browser itself. */
export function crossOrigin({ origins }: Config['cors']): RequestHandler {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: '*',
    maxAge: 600,
  });
}

/** The Temporal UI may ask its codec endpoint with the cookie of codec-session.ts. */
export function crossOriginOfUi({ temporal, encryption }: Config): RequestHandler {
  const ui = temporal.uiUrl === undefined ? [] : [new URL(temporal.uiUrl).origin];
  const origins = [...ui, ...encryption.uiOrigins.filter((origin) => origin !== '*')];
  return cors({ origin: origins, methods: ['POST'], credentials: true, maxAge: 600 });
}

/** After `authenticate`: the rate of the key, and how many connections it has open. */
export function limitCaller(limits: CallerLimits): RequestHandler {
  return async (request, response, next) => {
    const caller = callerIn(response);
    await limits.rate.admit(caller.keyId);
    const { release } = limits.connections.admit(caller, () => response.destroy());
    response.once('close', release);
    if (request.socket.destroyed) release();
    next();
  };
}

/** The caller of an upgrade to a WebSocket, with all that `limitCaller` limits. */
export async function admitSocket(
  limits: Credentials & CallerLimits,
  request: IncomingMessage,
  socket: Duplex,
): Promise<Caller> {
  const caller = await callerOf(limits, request);
  assertScope(caller, 'generate');
  await limits.rate.admit(caller.keyId);
  const { release } = limits.connections.admit(caller, () => socket.destroy());
  socket.once('close', release);
  // A client that went while it was looked up will not close again.
  if (socket.destroyed) release();
  return caller;
}

/**
 * JSON bodies, limited in size and depth before they are parsed. Only UTF-8, which is what JSON is (RFC 8259, 8.1): the
 * depth is told by bytes, and a text that was repaired is not what the caller wrote.
 */
export function readJson(): RequestHandler {
  return express.json({
    limit: LIMITS.requestBodyBytes,
    type: 'application/json',
    verify: (_request, _response, body, charset) => {
      if (!/^utf-?8$/i.test(charset)) {
        throw new UnbrokenError('unsupported_media_type', 'The charset is not supported; JSON is UTF-8.');
      }
      if (!isUtf8(body)) throw new UnbrokenError('invalid_json', 'The body is not valid UTF-8.');
      if (jsonDepth(body, LIMITS.jsonDepth) <= LIMITS.jsonDepth) return;
      throw new UnbrokenError(
        'invalid_request',
        `The body is nested deeper than ${LIMITS.jsonDepth} levels.`,
      );
    },
  });
}
