/**
 * The relay: a Web-standard fetch handler, for Cloudflare Workers, Vercel's edge and any other runtime with `Request`
 * and `Response`. It serves streams of events itself and passes all other requests to the origin unchanged.
 */
import { type Access, checkAccess, credentialsOf, unavailable } from './check-access.ts';
import type { EdgeCache } from './edge-cache.ts';
import { type ViewOrder, viewEnded } from './live-streams.ts';
import type { Origin } from './origin.ts';

interface RelayOptions {
  readonly origin: Origin;
  readonly cache: EdgeCache;
  /** Serves a running generation: viewers in one place share one connection to the origin. */
  readonly viewLive: (order: ViewOrder, signal: AbortSignal) => Response | Promise<Response>;
  /** Shorter than the time after which the platform cuts a response, so that the relay ends it cleanly. */
  readonly longestStreamMs?: number | undefined;
}

export function createRelay(options: RelayOptions): (request: Request) => Promise<Response> {
  const { origin, cache } = options;
  return async (request) => {
    const stream = streamRequestOf(request);
    const credentials = stream === null ? null : await credentialsOf(request);
    if (stream === null || credentials === null) return passOn(origin, request);
    const access = await checkAccess(origin, cache, stream, credentials);
    if (access instanceof Response) return access;
    const { standing } = access;
    // The origin explains what is wrong with a cursor past the end.
    if (stream.after >= standing.nextSeq && access.isFresh) return passOn(origin, request);
    // An `EventSource` that has the end would return for as long as its page is open; a 204 tells it to stop.
    if (stream.isReturn && standing.status !== 'running' && stream.after === standing.nextSeq - 1)
      return new Response(null, { status: 204, headers: viewHeaders(access) });
    const untilMs = least(stream.untilMs, options.longestStreamMs ?? null);
    const order = { standing, credentials, after: stream.after, untilMs, headers: viewHeaders(access) };
    const { signal } = request;
    return standing.status === 'running'
      ? options.viewLive(order, signal)
      : viewEnded(origin, cache, order, signal);
  };
}

interface StreamRequest {
  readonly generationId: string;
  readonly after: number;
  /** Whether an `EventSource` comes back by itself. */
  readonly isReturn: boolean;
  /** The query with the viewer's cursor, which the origin checks; '' if the viewer cannot prove its cursor. */
  readonly cursor: string;
  readonly untilMs: number | null;
}

/** null for requests that the origin must handle: other paths, a malformed cursor, a ticket in the URL. */
function streamRequestOf(request: Request): StreamRequest | null {
  const { pathname, searchParams } = new URL(request.url);
  const [, generationId] = /^\/v1\/generations\/([\w.-]{1,128})\/events$/.exec(pathname) ?? [];
  if (request.method !== 'GET' || generationId === undefined || searchParams.has('ticket')) return null;
  const lastEventId = request.headers.get('last-event-id') ?? searchParams.get('lastEventId');
  const after = lastEventId ?? searchParams.get('after') ?? '';
  const until = searchParams.get('until_ms');
  if (!/^(-1|\d{1,15})?$/.test(after) || !/^([1-9]\d{0,8})?$/.test(until ?? '')) return null;
  const at = searchParams.get('at') ?? '';
  if (!/^\d{0,15}$/.test(at)) return null;
  return {
    generationId,
    after: after === '' ? -1 : Number(after),
    isReturn: lastEventId !== null,
    cursor: lastEventId !== null || after === '' || at === '' ? '' : `?after=${after}&at=${at}`,
    untilMs: until === null || until === '' ? null : Number(until),
  };
}

function viewHeaders({ standing, crossOrigin }: Access): Record<string, string> {
  return { ...crossOrigin, 'x-unbroken-relay': standing.status === 'running' ? 'live' : 'finished' };
}

function least(...limits: readonly (number | null)[]): number | null {
  const set = limits.filter((limit) => limit !== null);
  return set.length === 0 ? null : Math.min(...set);
}

/** Headers that concern one connection (RFC 9110, 7.6.1), and those that `fetch` sets. They are not passed on. */
const HOP_BY_HOP = [
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
];

async function passOn(origin: Origin, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  // The body is passed on as it arrives, and `fetch` would decompress it.
  headers.set('accept-encoding', 'identity');
  const hasBody = request.body !== null && request.method !== 'GET' && request.method !== 'HEAD';
  try {
    const answer = await origin.fetch(`${origin.url}${pathname}${search}`, {
      method: request.method,
      headers,
      redirect: 'manual',
      ...(hasBody ? { body: request.body, duplex: 'half' } : {}),
    });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  } catch {
    return unavailable();
  }
}
