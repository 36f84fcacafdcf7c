/** Our own stream, and connections that cut, delay, split and garble it. */
import fc from 'fast-check';
import type { GenerationEvent } from '../../contracts/events.ts';
import { badValue, toJson } from './bad-json.ts';

export const EVENTS = madeUpLog();
const WHOLE = EVENTS.map(
  (event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
);
export const STREAM = Buffer.from(`: hello\n\nretry: 250\n\n${WHOLE.join('')}`);
export const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8' };

/** Text in several alphabets, so that there is a character to split at every width. */
function madeUpLog(): GenerationEvent[] {
  const start = { type: 'generation-start', generationId: 'gen_1', route: 'default', user: 'ann' };
  const texts = ['Hi', ' thère', ' 🚀', '\n\n', 'data: x', '\r', '\u2028', ' é'.repeat(20), ''];
  const end = { type: 'generation-cancel', attempts: [], usage: null, costMicroUsd: 0 };
  const bodies = [start, ...texts.map((text) => ({ type: 'text-delta', text })), end];
  return bodies.map(
    (body, seq) => ({ ...body, seq, at: 1_767_225_600_000 + seq }) as unknown as GenerationEvent,
  );
}

/** @param breaks whether the connection breaks after the last of them; else it ends. */
export function streamOf(
  chunks: readonly Uint8Array[],
  { breaks }: { readonly breaks: boolean },
): ReadableStream<Uint8Array> {
  const left = [...chunks];
  return new ReadableStream({
    pull: (controller) => {
      const next = left.shift();
      if (next !== undefined) controller.enqueue(Uint8Array.from(next));
      else if (breaks)
        controller.error(new TypeError('terminated', { cause: new Error('other side closed') }));
      else controller.close();
    },
  });
}

/** How one connection goes. */
export interface Connection {
  readonly status: number;
  readonly type: string;
  /** How much of the right bytes it brings, from 0 to 1; then it ends. */
  readonly share: number;
  readonly breaks: boolean;
  readonly pieceBytes: number;
  /** Put between two events, at this place of the order. */
  readonly noise: readonly (readonly [place: number, text: string])[];
  /** Applied to the bytes. */
  readonly garble: readonly (readonly [place: number, cut: number, put: Uint8Array])[];
}

const noise = fc.tuple(
  fc.nat(),
  fc.constantFrom(
    ': heartbeat\n\n',
    ':\n',
    'retry: 5\n\n',
    'foo: bar\n',
    'event: other\n\n',
    '\n',
    '\r\n',
    'retry: x\n\n',
  ),
);
const sound = fc.constantFrom<Pick<Connection, 'status' | 'type'>[]>(
  { status: 200, type: 'text/event-stream' },
  { status: 200, type: 'text/event-stream; charset=utf-8' },
  { status: 200, type: 'text/html' },
  { status: 500, type: 'text/html' },
  { status: 503, type: 'application/json' },
  { status: 429, type: 'application/json' },
);
const shape = {
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  breaks: fc.boolean(),
  pieceBytes: fc.constantFrom(1, 2, 3, 7, 64, 10_000),
  noise: fc.array(noise, { maxLength: 3 }),
};
export const harmless: fc.Arbitrary<Connection> = fc
  .tuple(
    fc.oneof({ arbitrary: fc.constant({ status: 200, type: HEADERS['content-type'] }), weight: 3 }, sound),
    fc.record(shape),
  )
  .map(([head, body]) => ({ ...head, ...body, garble: [] }));
export const garbled: fc.Arbitrary<Connection> = fc
  .tuple(
    harmless,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 30 }),
        fc.oneof(
          fc.uint8Array({ maxLength: 6 }),
          badValue.map((value) => Buffer.from(`data: ${toJson(value)}\n\n`)),
          fc.constantFrom(
            ...[
              'event: error\ndata: {}\n\n',
              'event: error\ndata: {"error":{"code":"x"}}\n\n',
              'data\n\n',
            ].map((text) => Buffer.from(text)),
          ),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([connection, garble]) => ({ ...connection, garble }));

/** The API behind such connections; after the last of them, one that works. */
export function apiBehind(connections: readonly Connection[]): typeof globalThis.fetch {
  const left = [...connections];
  return async (input) => {
    const url = new URL(String(input));
    if (!url.pathname.endsWith('/events'))
      return Response.json({ status: 'cancelled', lastSeq: EVENTS.length - 1 });
    const events = WHOLE.slice(Number(url.searchParams.get('after') ?? -1) + 1);
    const next = left.shift();
    if (next === undefined) return new Response(events.join(''), { headers: HEADERS });
    const { status, type, breaks } = next;
    if (status !== 200 || !type.startsWith('text/event-stream'))
      return new Response('{}', { status, headers: { 'content-type': type } });
    return new Response(streamOf(piecesOf(events, next), { breaks }), { headers: { 'content-type': type } });
  };
}

function piecesOf(
  events: readonly string[],
  { share, noise: between, garble, pieceBytes }: Connection,
): Uint8Array[] {
  const parts = [...events];
  for (const [place, text] of between) parts.splice(place % (parts.length + 1), 0, text);
  let bytes = Buffer.from(parts.join(''));
  for (const [place, cut, put] of garble) {
    const at = place % (bytes.length + 1);
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
  }
  const kept = bytes.subarray(0, Math.floor(bytes.length * share));
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < kept.length; from += pieceBytes)
    pieces.push(kept.subarray(from, from + pieceBytes));
  return pieces;
}
