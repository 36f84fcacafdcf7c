/**
 * One reader of our wire or OpenAI's: now on SSE, now on a WebSocket, now at this API, now at that one. It leaves in
 * the middle by chance and comes back with its cursor. It judges nothing: whatever comes is written down.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { isTerminal } from '../../../contracts/fold-events.ts';
import { createRandom, type Random } from '../../harness/random.ts';
import { openStreamSocket } from '../../harness/stream-socket.ts';
import { connectApi, eventsOf } from '../../harness/unbroken-api.ts';
import { isOfProxy } from './ask.ts';
import type { Following, Notebook } from './notebook.ts';
import { framesOf } from './read-response.ts';

/** A connection that is silent for longer is replaced; heartbeats come each second. */
const SILENCE_MS = 4_000;
const CONNECT_MS = 4_000;
const MOST_PAUSE_MS = 600;
/** Statuses that tell to come back later. Any other, a 500 too, is a fault of the product. */
const PASSING = new Set([429, 503]);

class Refused extends Error {}

export async function follow(following: Following, notebook: Notebook): Promise<void> {
  const random = createRandom(following.seed + notebook.events.length);
  const hasEnded = () => notebook.events.some(isTerminal);
  while (!hasEnded()) {
    const isSocket = following.wire === 'native' && random.between(0, 2) === 0;
    const connect = isSocket ? readSocket : readSse;
    const url = following.apis[random.between(0, following.apis.length - 1)] ?? '';
    const patience = random.between(1, 4) === 1 ? random.between(1, 40) : Number.POSITIVE_INFINITY;
    let left = patience;
    try {
      for await (const event of connect(url, following, notebook.events.at(-1)?.seq ?? -1)) {
        notebook.add(event);
        left -= 1;
        if (left <= 0 || isTerminal(event)) break;
      }
    } catch (error) {
      if (error instanceof Refused) {
        notebook.refuse(error.message);
        return;
      }
      // Anything else is a connection that broke.
    }
    if (!hasEnded()) await sleep(pauseBy(random));
  }
}

function pauseBy(random: Random): number {
  return random.between(10, MOST_PAUSE_MS);
}

async function* readSse(
  url: string,
  { key, generationId, wire }: Following,
  after: number,
): AsyncGenerator<GenerationEvent> {
  const isNative = wire === 'native';
  const resume = after < 0 ? '' : `&starting_after=${after}`;
  const path = isNative
    ? `/v1/generations/${generationId}/events`
    : `/v1/responses/${generationId}?stream=true${resume}`;
  const gone = new AbortController();
  let silence = setTimeout(() => gone.abort(), CONNECT_MS);
  try {
    const response = await connectApi(url, key).send(path, {
      headers: after < 0 || !isNative ? {} : { 'last-event-id': String(after) },
      signal: gone.signal,
    });
    if (response.status !== 200) {
      const text = await response.text();
      const detail = `SSE after ${after}: ${response.status} ${text}`;
      const passes = PASSING.has(response.status) || isOfProxy(response.status, text);
      throw passes ? new Error(detail) : new Refused(detail);
    }
    const body = response.body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          clearTimeout(silence);
          silence = setTimeout(() => gone.abort(), SILENCE_MS);
          controller.enqueue(bytes);
        },
      }),
    );
    yield* isNative ? eventsOf(new Response(body)) : framesOf(new Response(body));
  } finally {
    clearTimeout(silence);
    gone.abort();
  }
}

async function* readSocket(
  url: string,
  { key, generationId }: Following,
  after: number,
): AsyncGenerator<GenerationEvent> {
  const socket = await openStreamSocket({ url, key }, { handshakeTimeout: CONNECT_MS });
  try {
    socket.send({ type: 'subscribe', generationId, after });
    let taken = 0;
    let heardAt = Date.now();
    while (Date.now() - heardAt < SILENCE_MS && socket.isOpen()) {
      for (const frame of socket.frames.slice(taken)) {
        taken += 1;
        heardAt = Date.now();
        if (frame.type === 'event') yield frame.event;
        if (frame.type === 'unsubscribed') return;
        if (frame.type !== 'error') continue;
        const { code, message } = frame.error;
        const detail = `WebSocket after ${after}: ${code} ${message}`;
        const passes = code === 'service_unavailable' || code === 'rate_limited';
        throw passes ? new Error(detail) : new Refused(detail);
      }
      await sleep(20);
    }
  } finally {
    await socket.close();
  }
}
