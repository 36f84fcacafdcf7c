/**
 * The relay on Vercel's edge runtime. Requests that the same instance serves share one connection to the origin for each
 * generation, and one cache in its memory: what Vercel caches by itself, it would serve without asking the origin.
 */
import '../abort-signal-any.ts';
import { createLiveStreams } from '../../live-streams.ts';
import { createMemoryCache } from '../../memory-cache.ts';
import type { Origin } from '../../origin.ts';
import { createRelay } from '../../relay.ts';

export const config = { runtime: 'edge' };

/** Vercel ends a stream of the edge runtime after 300 s. */
const LONGEST_STREAM_MS = 280_000;
/** vercel.json puts the path there that was asked for. */
const PATH_PARAMETER = 'unbroken_path';

declare const process: { readonly env: { readonly UNBROKEN_ORIGIN?: string } };

const url = process.env.UNBROKEN_ORIGIN?.replace(/\/+$/, '');
if (url === undefined) throw new Error('Set UNBROKEN_ORIGIN to the address of the API.');
const origin: Origin = { url, fetch: (input, init) => fetch(input, init) };
const cache = createMemoryCache();
const streams = createLiveStreams(origin, cache);
const relay = createRelay({
  origin,
  cache,
  longestStreamMs: LONGEST_STREAM_MS,
  viewLive: streams.view,
});

export default function handle(request: Request): Promise<Response> {
  const asked = new URL(request.url);
  const path = asked.searchParams.get(PATH_PARAMETER);
  if (path === null) return relay(request);
  asked.searchParams.delete(PATH_PARAMETER);
  asked.pathname = path;
  return relay(new Request(asked, request));
}
