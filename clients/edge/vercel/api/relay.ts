/**
 * The relay on Vercel's edge runtime. Requests that the same instance serves share one connection to the origin per
 * generation, and one cache in memory. Vercel's own cache is not used: it would answer without asking the origin.
 */
import '../abort-signal-any.ts';
import { LiveStreams } from '../../live-streams.ts';
import { MemoryCache } from '../../memory-cache.ts';
import type { Origin } from '../../origin.ts';
import { createRelay } from '../../relay.ts';

export const config = { runtime: 'edge' };

/** Vercel ends a stream of the edge runtime after 300 s. */
const LONGEST_STREAM_MS = 280_000;
/** vercel.json puts the requested path here. */
const PATH_PARAMETER = 'unbroken_path';

declare const process: { readonly env: { readonly UNBROKEN_ORIGIN?: string } };

const originUrl = process.env.UNBROKEN_ORIGIN?.replace(/\/+$/, '');
if (originUrl === undefined) throw new Error('Set UNBROKEN_ORIGIN to the address of the API.');
const origin: Origin = { url: originUrl, fetch: (input, init) => fetch(input, init) };
const cache = new MemoryCache();
const streams = new LiveStreams(origin, cache);
const relay = createRelay({
  origin,
  cache,
  longestStreamMs: LONGEST_STREAM_MS,
  viewLive: (order, signal) => streams.view(order, signal),
});

export default function handle(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const path = url.searchParams.get(PATH_PARAMETER);
  if (path === null) return relay(request);
  url.searchParams.delete(PATH_PARAMETER);
  url.pathname = path;
  return relay(new Request(url, request));
}
