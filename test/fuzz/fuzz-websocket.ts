/**
 * Both WebSockets, with frames that are nearly right and frames that break RFC 6455. After whatever was sent a socket
 * still answers, or it was closed with a code that says why.
 */
import fc from 'fast-check';
import { z } from 'zod';
import { responseCreateSchema } from '../../api/wires/openai-responses/request.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { clientFrameSchema } from '../../contracts/websocket.ts';
import type { Stack } from '../harness/stack.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { nearly, toJson } from './bad-json.ts';
import { fromSchema, type JsonSchema } from './from-schema.ts';
import { faultsInLogs } from './fuzz-routes.ts';
import { type FuzzPlan, inTurns, type SurfaceReport, sumOf, tryInputs, type Verdict } from './inputs.ts';
import { encodeFrame, openRawWebSocket, type RawFrame, type RawWebSocket } from './raw-websocket.ts';

const PATHS = ['/v1/stream', '/v1/responses'] as const;
const LANES = 4;
const ANSWER_MS = 15_000;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** Ours, of PROTOCOL.md, and those that RFC 6455 has for a client that breaks it. */
const CLOSE_CODES: ReadonlySet<number> = new Set([1001, 1002, 1003, 1007, 1009, 1013]);

interface Session {
  readonly frames: readonly RawFrame[];
  /** Bytes of each write; 0: each frame at once. */
  readonly pieceBytes: number;
  /** It goes without a word, in the middle of its last frame. */
  readonly goesAway: boolean;
}

export async function fuzzWebSockets(stack: Stack, { seed, inputs }: FuzzPlan): Promise<SurfaceReport> {
  const { addKey, api } = stack;
  const key = await addKey({ tenant: 'fuzz-sockets', user: 'ann' });
  const { body } = await connectApi(api.url, key).create({
    input: 'Hi. [[sim tokens=30 delay_ms=1]]',
    cache: 'off',
  });
  const lanes = Array.from({ length: LANES }, (_, lane) => PATHS.map((path) => ({ lane, path }))).flat();
  const perLane = Math.max(1, Math.ceil(inputs / lanes.length));
  const reports = await inTurns(lanes, LANES, ({ lane, path }) =>
    tryInputs(`${path}`, sessions(path, body.id), { seed: seed + lane, inputs: perLane }, (session) =>
      attempt(api.url, path, key, session),
    ),
  );
  return sumOf('websocket', [...reports, { surface: 'after', inputs: 0, failures: faultsInLogs(stack) }]);
}

async function attempt(url: string, path: string, key: string, session: Session): Promise<Verdict> {
  const socket = await openRawWebSocket(url, path, key);
  try {
    if (socket.status !== 101) return `the upgrade was answered with ${socket.status}`;
    const bytes = Buffer.concat(session.frames.map(encodeFrame));
    const chunk = session.pieceBytes === 0 ? bytes.length : session.pieceBytes;
    for (let from = 0; from < bytes.length; from += Math.max(1, chunk))
      socket.write(bytes.subarray(from, from + chunk));
    if (session.goesAway) return null;
    const last = Buffer.from('still there?');
    socket.write(encodeFrame({ fin: true, reserved: 0, opcode: PING, isMasked: true, payload: last }));
    const isAnswered = () =>
      socket.frames.some(({ opcode, payload }) => opcode === PONG && payload.equals(last));
    await waitFor(
      'a pong or the end',
      () => isAnswered() || socket.isClosed() || closeOf(socket) !== null,
      ANSWER_MS,
    );
    return isAnswered() ? textsAreOurs(socket) : judgeClose(socket, session);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    socket.destroy();
  }
}

function closeOf({ frames }: RawWebSocket): number | null {
  const close = frames.find(({ opcode }) => opcode === CLOSE);
  if (close === undefined) return null;
  return close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0);
}

function judgeClose(socket: RawWebSocket, { frames }: Session): Verdict {
  const code = closeOf(socket);
  if (code === null) return 'it was closed without a code';
  // A close of ours is answered with our own code.
  const sent = frames
    .filter(({ opcode }) => opcode === CLOSE)
    .map(({ payload }) => (payload[0] ?? 0) * 256 + (payload[1] ?? 0));
  const isKnown =
    CLOSE_CODES.has(code) || sent.includes(code) || (code === 1005 && sent.length > 0) || code === 1000;
  return isKnown ? null : `it was closed with ${code}`;
}

/** Whatever the server says is JSON with a type. */
function textsAreOurs({ frames }: RawWebSocket): Verdict {
  for (const { opcode, payload } of frames) {
    if (opcode !== TEXT) continue;
    const message: unknown = JSON.parse(payload.toString());
    if (typeof message !== 'object' || message === null || !('type' in message))
      return `a frame without a type: ${payload}`;
    if (payload.includes('"internal"')) return `a fault of ours: ${payload.toString().slice(0, 400)}`;
  }
  return null;
}

function sessions(path: (typeof PATHS)[number], generationId: string): fc.Arbitrary<Session> {
  return fc
    .record({
      frames: fc.array(frames(path, generationId), { minLength: 1, maxLength: 8 }),
      pieceBytes: fc.constantFrom(0, 0, 1, 7, 1_000),
      goesAway: fc.oneof(
        { arbitrary: fc.constant(false), weight: 6 },
        { arbitrary: fc.constant(true), weight: 1 },
      ),
    })
    .map((session) => {
      // Large sessions byte by byte would test the patience of this machine.
      const bytes = session.frames.reduce((sum, { payload }) => sum + payload.length, 0);
      return bytes > 2_000 && session.pieceBytes === 1 ? { ...session, pieceBytes: 7_000 } : session;
    });
}

function frames(path: (typeof PATHS)[number], generationId: string): fc.Arbitrary<RawFrame> {
  const whole = { fin: true, reserved: 0, isMasked: true };
  const text = (payload: string): RawFrame => ({ ...whole, opcode: TEXT, payload: Buffer.from(payload) });
  const frames = nearly(path === '/v1/stream' ? streamFrames(generationId) : responseFrames(), 2).map(
    (value) => text(toJson(value)),
  );
  const odd = fc
    .constantFrom(
      '',
      '{',
      'null',
      '[]',
      '"ping"',
      '{"type":"ping"}{"type":"ping"}',
      '{"type":"__proto__"}',
      '\ufeff{"type":"ping"}',
    )
    .map(text);
  const wild = fc.record({
    fin: fc.boolean(),
    reserved: fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, fc.nat({ max: 7 })),
    opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat({ max: 15 })),
    isMasked: fc.oneof({ arbitrary: fc.constant(true), weight: 6 }, fc.boolean()),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 130 }),
      fc.constantFrom(Buffer.alloc(126), Buffer.from([3, 232]), Buffer.from([0xed, 0xa0, 0x80])),
    ),
  });
  const large = fc
    .constantFrom(LIMITS.webSocketFrameBytes, LIMITS.webSocketFrameBytes + 1)
    .map((bytes) => text('x'.repeat(bytes)));
  const parts = fc.constant({ ...whole, fin: false, opcode: TEXT, payload: Buffer.from('{"type":') });
  return fc.oneof(
    { arbitrary: frames, weight: 8 },
    { arbitrary: odd, weight: 2 },
    { arbitrary: wild, weight: 2 },
    { arbitrary: large, weight: 1 },
    { arbitrary: parts, weight: 1 },
    { arbitrary: fc.constant({ ...whole, opcode: PING, payload: Buffer.from('x') }), weight: 1 },
  );
}

function written(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as unknown as JsonSchema;
}

function streamFrames(generationId: string): fc.Arbitrary<unknown> {
  const type = fc.constantFrom('subscribe', 'unsubscribe', 'pause', 'resume', 'ping');
  const named = fc.record({ type, generationId: fc.constantFrom(generationId, 'gen_unknown') });
  return fc.oneof(named, fromSchema(written(clientFrameSchema)));
}

function responseFrames(): fc.Arbitrary<unknown> {
  const input = fc.constant('Hi. [[sim tokens=2 delay_ms=0]]');
  const create = fc.record(
    {
      type: fc.constant('response.create'),
      input,
      generate: fc.boolean(),
      stream_id: fc.constantFrom('a', 'b'),
      store: fc.boolean(),
    },
    { requiredKeys: ['type', 'input'] },
  );
  return fc.oneof(
    create,
    fromSchema(written(responseCreateSchema)).map((body) => ({
      ...(body as object),
      type: 'response.create',
    })),
    fc.constant({ type: 'response.steer', previous_response_id: 'resp_x', input: 1 }),
  );
}
