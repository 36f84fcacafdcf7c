/**
 * The relay: a Web-standard fetch handler, for Cloudflare Workers, Vercel's edge and whatever else speaks `Request` and
 * `Response`. Streams of events it serves itself; all else goes to the origin as it came.
 */
import { type Access, checkAccess, credentialsOf, unavailable } from './check-access.ts';
import type { EdgeCache } from './edge-cache.ts';
import { type ViewOrder, viewEnded } from './live-streams.ts';
import type { Origin } from './origin.ts';

export interface RelayOptions {
  readonly origin: Origin;
  readonly cache: EdgeCache;
  /** Serves a running generation: where its viewers can meet, they share one connection to the origin. */
  readonly viewLive: (order: ViewOrder, signal: AbortSignal) => Response | Promise<Response>;
  /** The platform ends a response after so long; it is ended cleanly before. */
  readonly longestStreamMs?: number | undefined;
}

export function createRelay(options: RelayOptions): (request: Request) => Promise<Response> {
  const { origin, cache } = options;
  return async (request) => {
    const asked = askedOf(request);
    const credentials = asked === null ? null : await credentialsOf(request);
    if (asked === null || credentials === null) return passOn(origin, request);
    const access = await checkAccess(origin, cache, asked, credentials);
    if (access instanceof Response) return access;
    const { standing } = access;
    // The origin says what is wrong with a cursor past the end.
    if (asked.after >= standing.nextSeq && access.isFresh) return passOn(origin, request);
    const untilMs = least(asked.untilMs, options.longestStreamMs ?? null);
    const order = { standing, credentials, after: asked.after, untilMs, headers: headersOf(access) };
    const { signal } = request;
    return standing.status === 'running'
      ? options.viewLive(order, signal)
      : viewEnded(origin, cache, order, signal);
  };
}

interface Asked {
  readonly generationId: string;
  readonly after: number;
  /** What the viewer knows of its cursor, for the origin to check; '' where it knows nothing. */
  readonly cursor: string;
  readonly untilMs: number | null;
}

/** null where it is no stream of events, or one that the origin must explain: a bad cursor, a ticket in the URL. */
function askedOf(request: Request): Asked | null {
  const { pathname, searchParams } = new URL(request.url);
  const [, generationId] = /^\/v1\/generations\/([\w.-]{1,128})\/events$/.exec(pathname) ?? [];
  if (request.method !== 'GET' || generationId === undefined || searchParams.has('ticket')) return null;
  const fromHeader = request.headers.get('last-event-id');
  const after = fromHeader ?? searchParams.get('after') ?? '';
  const until = searchParams.get('until_ms');
  if (!/^(-1|\d{1,15})?$/.test(after) || !/^([1-9]\d{0,8})?$/.test(until ?? '')) return null;
  const at = searchParams.get('at') ?? '';
  if (!/^\d{0,15}$/.test(at)) return null;
  return {
    generationId,
    after: after === '' ? -1 : Number(after),
    cursor: fromHeader !== null || after === '' || at === '' ? '' : `?after=${after}&at=${at}`,
    untilMs: until === null || until === '' ? null : Number(until),
  };
}

function headersOf({ standing, crossOrigin }: Access): Record<string, string> {
  return { ...crossOrigin, 'x-unbroken-relay': standing.status === 'running' ? 'live' : 'finished' };
}

function least(...limits: readonly (number | null)[]): number | null {
  const given = limits.filter((limit) => limit !== null);
  return given.length === 0 ? null : Math.min(...given);
}

/** Headers of one connection, which end here (RFC 9110, 7.6.1), and what `fetch` sets itself. */
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
  // What comes back is handed on as it is, so it must come as it is.
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
