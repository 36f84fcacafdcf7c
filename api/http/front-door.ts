/** The middleware before every route: security headers, CORS, the limits of the caller's key, and the JSON body. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import cors from 'cors';
import type { Request, RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { Caller } from '../access/api-keys.ts';
import { assertScope, type Credentials, callerIn, callerOfSocket } from '../access/authenticate.ts';
import type { OpenConnections } from '../access/open-connections.ts';
import type { RateLimiter } from '../access/rate-limiter.ts';
import type { BytesInFlight } from './bytes-in-flight.ts';
import { parseOutsideJson } from './parse-json.ts';
import { readBody } from './read-body.ts';

interface CallerLimits {
  readonly rate: RateLimiter;
  readonly connections: OpenConnections;
}

/** For data, which no browser may run, frame or store. A route that serves a page replaces them. */
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

/**
 * Names the request, as the vendors do: their clients note the name, and some count requests by it. Anthropic's read
 * one header, OpenAI's the other.
 */
export function requestIds(): RequestHandler {
  return (_request, response, next) => {
    const id = `req_${randomUUID().replaceAll('-', '')}`;
    response.setHeader('request-id', id);
    response.setHeader('x-request-id', id);
    next();
  };
}

export function requestIdOf(response: Response): string | null {
  const id = response.getHeader('request-id');
  return typeof id === 'string' ? id : null;
}

/**
 * Requires exactly one header Host (RFC 9112, 3.2): of several, two proxies may each believe a different one. Node
 * itself accepts several, and refuses a request without one but gives no reason.
 */
export function requireHost(): RequestHandler {
  return (request, _response, next) => {
    assertHost(request);
    next();
  };
}

function assertHost({ httpVersion, rawHeaders }: IncomingMessage): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) throw new UnbrokenError('invalid_request', `The request has ${hosts} headers Host.`);
  if (hosts === 1 || httpVersion !== '1.1') return;
  throw new UnbrokenError('invalid_request', 'The request has no header Host.');
}

/** The origins whose pages may call; "*" for all. Code sends keys and tickets, never the browser itself. */
export function crossOrigin({ origins }: Config['cors']): RequestHandler {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: '*',
    maxAge: 600,
  });
}

/** The Temporal UI may call its codec endpoint with the cookie of codec-session.ts. */
export function crossOriginOfUi({ temporal, encryption }: Config): RequestHandler {
  const ui = temporal.uiUrl === undefined ? [] : [new URL(temporal.uiUrl).origin];
  const origins = [...ui, ...encryption.uiOrigins.filter((origin) => origin !== '*')];
  return cors({ origin: origins, methods: ['POST'], credentials: true, maxAge: 600 });
}

/** After `authenticate`: limits the request rate and the open connections of the key. */
export function limitCaller(limits: CallerLimits): RequestHandler {
  return async (request, response, next) => {
    const caller = callerIn(response);
    await limits.rate.admit(caller.keyId);
    // Not the response: a stream continues without it (api/relay/event-connection.ts).
    const { socket } = request;
    const { release } = limits.connections.admit(caller, () => socket.destroy());
    response.once('close', release);
    if (socket.destroyed) release();
    next();
  };
}

/** Authenticates an upgrade to a WebSocket, and applies the limits of `limitCaller`. */
export async function admitSocket(
  limits: Pick<Credentials, 'keys' | 'tickets'> & CallerLimits,
  request: IncomingMessage,
  socket: Duplex,
  { takesTickets }: { readonly takesTickets: boolean },
): Promise<Caller> {
  assertHost(request);
  const caller = await callerOfSocket(limits, request);
  if (caller.onlyReads === true && !takesTickets) {
    throw new UnbrokenError(
      'forbidden',
      'A ticket opens streams only; this WebSocket needs a key in a header.',
    );
  }
  assertScope(caller, 'generate');
  await limits.rate.admit(caller.keyId);
  const { release } = limits.connections.admit(caller, () => socket.destroy());
  socket.once('close', release);
  // A client that disconnected during the look-up emits no second `close`.
  if (socket.destroyed) release();
  return caller;
}

interface BodyReading {
  readonly bodies: BytesInFlight;
  /** Most values that a body may have; the default if absent. */
  readonly values?: number;
  /** Most bytes of a body; the default if absent. */
  readonly bodyBytes?: number | undefined;
}

/**
 * After `authenticate`: reads a JSON body, by the same rules as a WebSocket frame. Leaves a body alone that an earlier
 * `readJson` has read.
 */
export function readJson({ bodies, bodyBytes, values = LIMITS.jsonValues }: BodyReading): RequestHandler {
  return async (request, response, next) => {
    if (request.body !== undefined || !request.is('application/json')) {
      next();
      return;
    }
    assertUtf8(request);
    const held = bodies.hold(callerIn(response).keyId);
    try {
      const bytes = await readBody(request, held, bodyBytes);
      if (bytes.length > LIMITS.largeBodyBytes) await bodies.turn();
      request.body = bytes.length === 0 ? {} : bodyOf(bytes, values);
    } finally {
      held.release();
    }
    next();
  };
}

function assertUtf8(request: Request): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw new UnbrokenError('unsupported_media_type', 'The charset is not supported; JSON is UTF-8.');
}

function bodyOf(bytes: Uint8Array, values: number): unknown {
  const body = parseOutsideJson(bytes, 'body', { depth: LIMITS.jsonDepth, values });
  if (typeof body === 'object' && body !== null) return body;
  throw new UnbrokenError('invalid_json', 'The body is JSON, but neither an object nor a list.');
}
