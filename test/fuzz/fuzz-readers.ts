/**
 * Who reads our own stream: the TypeScript client and the edge relay, behind a network that cuts, splits and garbles.
 */
import fc from 'fast-check';
import { LiveStreams } from '../../clients/edge/live-streams.ts';
import { MemoryCache } from '../../clients/edge/memory-cache.ts';
import { createRelay } from '../../clients/edge/relay.ts';
import { ClientError, ConnectionLostError, StreamIntegrityError } from '../../clients/typescript/errors.ts';
import { followGeneration } from '../../clients/typescript/follow-generation.ts';
import { readEvents } from '../../clients/typescript/read-events.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import {
  apiBehind,
  type Connection,
  EVENTS,
  garbled,
  HEADERS,
  harmless,
  STREAM,
  streamOf,
} from './bad-connections.ts';
import { nearly, toJson } from './bad-json.ts';
import { type FuzzPlan, type SurfaceReport, sumOf, tryInputs, type Verdict, within } from './inputs.ts';

/** It ends a reading that hangs; a busy machine may stop any reading for seconds. */
const DONE_MS = 60_000;
/** A garbled stream may never become whole. */
const GIVE_UP_MS = 1_000;

export async function fuzzReaders({ seed, inputs }: FuzzPlan): Promise<SurfaceReport> {
  const share = (part: number): FuzzPlan => ({ seed, inputs: Math.max(1, Math.round(inputs * part)) });
  const { error: consoleError } = console;
  // The relay tells its platform of every stream that breaks; here they all do.
  console.error = () => undefined;
  try {
    return sumOf('readers', await allReports(share));
  } finally {
    console.error = consoleError;
  }
}

async function allReports(share: (part: number) => FuzzPlan): Promise<SurfaceReport[]> {
  return [
    await trySplits(),
    await tryInputs(
      'the client on a connection that is cut and delayed',
      fc.array(harmless, { maxLength: 6 }),
      share(0.4),
      followsAll,
    ),
    await tryInputs(
      'the client on a garbled connection',
      fc.array(garbled, { maxLength: 4 }),
      share(0.3),
      endsInWords,
    ),
    await tryInputs(
      'the edge relay before an origin that answers anything',
      origins(),
      share(0.3),
      relaysAnyway,
    ),
  ];
}

/** At every byte, and every byte alone. */
async function trySplits(): Promise<SurfaceReport> {
  const failures: string[] = [];
  const pieces = (at: number) => [STREAM.subarray(0, at), STREAM.subarray(at)];
  const expected = EVENTS.map((event) => JSON.stringify(event)).join();
  for (let at = 0; at <= STREAM.length; at += 1) {
    const chunks = at === 0 ? [...STREAM].map((byte) => Buffer.from([byte])) : pieces(at);
    const read: string[] = [];
    for await (const data of readEvents({
      url: 'http://api/',
      headers: {},
      signal: undefined,
      silenceMs: () => DONE_MS,
      onBytes: () => undefined,
      fetch: async () => new Response(streamOf(chunks, { breaks: false }), { headers: HEADERS }),
    }))
      read.push(data);
    if (read.join() !== expected)
      failures.push(`the client reads another text when it is split at byte ${at}`);
  }
  return { surface: 'splits', inputs: STREAM.length + 1, failures };
}

async function follow(connections: readonly Connection[], giveUpAfterMs: number) {
  const events: GenerationEvent[] = [];
  const read = async (): Promise<unknown> => {
    try {
      for await (const event of followGeneration({
        baseUrl: 'http://api',
        generationId: 'gen_1',
        fetch: apiBehind(connections),
        reconnectDelayMs: 1,
        giveUpAfterMs,
      }))
        events.push(event);
      return null;
    } catch (error) {
      return error;
    }
  };
  return {
    events,
    error: await within(
      DONE_MS,
      read().then((error) => ({ error })),
    ),
  };
}

/** Cuts and noise cost time and nothing else. */
async function followsAll(connections: readonly Connection[]): Promise<Verdict> {
  const { events, error } = await follow(connections, DONE_MS);
  if (error === null) return `it did not end within ${DONE_MS} ms`;
  if (error.error !== null) return `it failed: ${error.error}`;
  return JSON.stringify(events) === JSON.stringify(EVENTS) ? null : `it read ${JSON.stringify(events)}`;
}

/** What is garbled may be noticed or not, but it surfaces as one of the client's own errors, and the order stays. */
async function endsInWords(connections: readonly Connection[]): Promise<Verdict> {
  const { events, error } = await follow(connections, GIVE_UP_MS);
  if (error === null) return `it did not end within ${DONE_MS} ms`;
  const isKnown = [ClientError, ConnectionLostError, StreamIntegrityError].some(
    (known) => error.error instanceof known,
  );
  if (error.error !== null && !isKnown)
    return `an error of no class: ${error.error instanceof Error ? error.error.stack : error.error}`;
  let last = -1;
  for (const event of events) {
    if ((event.from ?? event.seq) !== last + 1) return `after ${last} came ${event.seq}`;
    last = event.seq;
  }
  return error.error === null && !events.some(isTerminal) ? 'it ended without the last event' : null;
}

interface OriginPlan {
  /** Bodies of the answers of `standing`, pages and all else, in turns. */
  readonly standings: readonly (readonly [status: number, body: string])[];
  readonly pages: readonly (readonly [status: number, body: string])[];
  readonly connections: readonly Connection[];
  readonly after: string;
}

function origins(): fc.Arbitrary<OriginPlan> {
  const statuses = fc.oneof(
    { arbitrary: fc.constant(200), weight: 5 },
    fc.constantFrom(204, 301, 401, 404, 410, 429, 500, 503),
  );
  const answers = (good: fc.Arbitrary<unknown>) => {
    const body = fc.oneof(
      { arbitrary: nearly(good, 2).map(toJson), weight: 6 },
      {
        arbitrary: fc.constantFrom(
          '',
          '<html>',
          'null',
          '[]',
          '{"__proto__":{"polluted":1}}',
          '{',
          '\ufeff{}',
        ),
        weight: 1,
      },
    );
    return fc.array(fc.tuple(statuses, body), { minLength: 1, maxLength: 3 });
  };
  return fc.record({
    standings: answers(
      fc.record({
        id: fc.constant('gen_1'),
        tenant: fc.constant('dev'),
        nextSeq: fc.constant(EVENTS.length),
        status: fc.constantFrom('running', 'cancelled', 'completed'),
      }),
    ),
    pages: answers(fc.constant({ page: 0, events: EVENTS, whole: true })),
    connections: fc.array(garbled, { maxLength: 2 }),
    after: fc.constantFrom('', '-1', '0', '5', '11', '12', '999', 'x'),
  });
}

/** It may say no, but it does not break, and a stream that it has begun goes in order. */
async function relaysAnyway({ standings, pages, connections, after }: OriginPlan): Promise<Verdict> {
  const turn = { standing: 0, page: 0 };
  const events = apiBehind(connections);
  const answer = ([status, body]: readonly [number, string] = [200, '']) =>
    new Response(status === 204 ? null : body, { status, headers: { 'content-type': 'application/json' } });
  const origin = {
    url: 'http://origin',
    fetch: (async (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
      const path = new URL(String(input)).pathname;
      if (path.endsWith('/standing')) return answer(standings[turn.standing++ % standings.length]);
      if (path.includes('/pages/')) return answer(pages[turn.page++ % pages.length]);
      return events(input, init);
    }) as typeof globalThis.fetch,
  };
  const cache = new MemoryCache();
  const live = new LiveStreams(origin, cache);
  const leave = new AbortController();
  const relay = createRelay({
    origin,
    cache,
    viewLive: (order, signal) => live.view(order, signal),
    longestStreamMs: 20,
  });
  const request = new Request(`http://edge/v1/generations/gen_1/events?after=${after}`, {
    headers: { authorization: 'Bearer x' },
    signal: leave.signal,
  });
  try {
    const response = await within(DONE_MS, relay(request));
    if (response === null) return `no answer within ${DONE_MS} ms`;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    const text = await within(
      DONE_MS,
      response.text().catch((error: unknown) => (isStream ? '' : Promise.reject(error))),
    );
    return text === null ? `the answer did not end within ${DONE_MS} ms` : null;
  } catch (error) {
    return `it broke: ${error instanceof Error ? error.stack : error}`;
  } finally {
    leave.abort();
  }
}
