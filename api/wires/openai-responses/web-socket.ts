/**
 * WebSocket mode of OpenAI's Responses API, at `/v1/responses`: `response.create` frames come, the events of the
 * stream go, each as one JSON text. Turns of one lane (`stream_id`, or none) run one after the other. The socket may
 * be lost: the generation goes on, and `GET /v1/responses/:id?stream=true&starting_after=N` takes it up.
 * Source: developers.openai.com, "WebSocket mode", and the official client's ResponsesWS.
 */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import type { Message } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Caller } from '../../api-keys.ts';
import { createConnectionFlow } from '../../connection-flow.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { relayEvents, type ViewerSink } from '../../relay-events.ts';
import { errorOf } from '../../start-with-second.ts';
import type { SocketRoute } from '../../upgrade.ts';
import { closeStalled, sendText } from '../../web-socket.ts';
import { beginOrTakeUp, parseBody } from '../wire.ts';
import { toOpenAiError } from './errors.ts';
import { contextOf, conversationAfter } from './load-response.ts';
import { projectResponse } from './project.ts';
import { type ResponseCreate, responseCreateSchema, toGeneration } from './request.ts';
import { type ResponseContext, responseObject } from './response-object.ts';

const frameSchema = z.discriminatedUnion('type', [
  z.object({
    ...responseCreateSchema.shape,
    type: z.literal('response.create'),
    stream_id: z.string().min(1).max(128).optional(),
    generate: z.boolean().optional(),
  }),
  z.object({ type: z.literal('response.steer'), previous_response_id: z.string(), input: z.unknown() }),
]);
type CreateFrame = Extract<z.infer<typeof frameSchema>, { type: 'response.create' }>;

/** Responses that only this socket may chain from: unstored ones, and those that were only prepared. */
const REMEMBERED = 256;
/** Turns that may wait or run on one socket. */
const TURNS = 64;
const NO_HEADERS = { get: () => undefined };

export function openResponsesSocket(dependencies: ApiDependencies): SocketRoute {
  return {
    maxFrameBytes: LIMITS.requestBodyBytes,
    open: (ws, connection, caller) => serve(ws, connection, caller, dependencies),
  };
}

function serve(ws: WebSocket, connection: Duplex, caller: Caller, dependencies: ApiDependencies): void {
  const flow = createConnectionFlow(connection);
  const gone = new AbortController();
  const lanes = new Map<string, Promise<void>>();
  let turns = 0;
  const unstored = new Set<string>();
  const prepared = new Map<string, readonly Message[]>();
  const laneOf = (streamId: string | undefined) => (streamId === undefined ? {} : { stream_id: streamId });

  const fail = (error: unknown, streamId?: string) => {
    const known =
      error instanceof UnbrokenError ? error : new UnbrokenError('internal', 'Something failed on our side.');
    if (known.code === 'internal') dependencies.logger.error({ err: error }, 'responses websocket');
    const { status } = known.entry;
    sendText(ws, JSON.stringify({ type: 'error', status, error: toOpenAiError(known), ...laneOf(streamId) }));
  };

  const conversationBefore = async ({ previous_response_id: id }: ResponseCreate) => {
    if (id === null || id === undefined) return [];
    const ready = prepared.get(id);
    return ready ?? conversationAfter(dependencies, caller, id, (known) => unstored.has(known));
  };

  const runTurn = async (frame: CreateFrame): Promise<void> => {
    const conversation = await conversationBefore(frame);
    const wire = toGeneration(dependencies.config, { ...frame, background: false }, conversation);
    if (frame.generate === false) {
      const id = `gen_${randomBytes(16).toString('hex')}`;
      const messages = Array.isArray(wire.request.input) ? wire.request.input : [];
      const context: ResponseContext = {
        ...{ generationId: id, metadata: wire.request.metadata ?? {}, origin: wire.origin },
        input: { messages, maxOutputTokens: LIMITS.defaultMaxOutputTokens },
      };
      for (const text of preparedFrames(context)) sendText(ws, withLane(text, frame.stream_id));
      remember(prepared, responseObject(context, NOTHING_YET).id, messages);
      return;
    }
    const head = await beginOrTakeUp(dependencies, caller, wire, NO_HEADERS);
    const { generationId } = head;
    if (!wire.origin.store) {
      unstored.add(generationId);
      const [oldest] = unstored;
      if (unstored.size > REMEMBERED && oldest !== undefined) unstored.delete(oldest);
    }
    const projection = projectResponse(await contextOf(dependencies, head));
    const sink: ViewerSink = {
      ...flow,
      send: (events) => {
        for (const event of events) {
          const refusal = event.seq === 1 && event.type === 'generation-error' ? event : null;
          if (refusal !== null) throw errorOf(refusal, generationId);
          for (const one of projection.push(event))
            sendText(ws, withLane(JSON.stringify(one), frame.stream_id));
        }
      },
      heartbeat: () => ws.ping(),
      closeStalled: () => closeStalled(ws),
      coalesces: false,
    };
    await relayEvents(dependencies, { generationId, after: -1, sink, signal: gone.signal });
  };

  ws.on('message', (data: RawData, isBinary: boolean) => {
    let frame: z.infer<typeof frameSchema>;
    try {
      frame = parseBody(frameSchema, isBinary ? null : jsonOf(String(data)));
    } catch (error) {
      fail(error);
      return;
    }
    if (frame.type === 'response.steer') {
      sendText(ws, JSON.stringify(steerRefusal(frame)));
      return;
    }
    const { stream_id: streamId } = frame;
    const lane = streamId ?? '';
    if (turns >= TURNS) {
      fail(new UnbrokenError('too_many_subscriptions', `One socket may have ${TURNS} turns.`), streamId);
      return;
    }
    turns += 1;
    const turn = (lanes.get(lane) ?? Promise.resolve())
      .then(() => runTurn(frame))
      .catch((error: unknown) => fail(error, streamId))
      .finally(() => {
        turns -= 1;
        if (lanes.get(lane) === turn) lanes.delete(lane);
      });
    lanes.set(lane, turn);
  });
  ws.on('close', () => gone.abort());
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnbrokenError('invalid_json', 'A frame is one JSON object, as text.');
  }
}

function withLane(json: string, streamId: string | undefined): string {
  return streamId === undefined ? json : `{"stream_id":${JSON.stringify(streamId)},${json.slice(1)}`;
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest);
}

const NOTHING_YET = { startedAtMs: 0, model: null, output: [], end: null };

/** `generate: false`: the state of a turn without an answer; it can be chained from on this socket. */
function preparedFrames(context: ResponseContext): string[] {
  const response = responseObject(context, { ...NOTHING_YET, startedAtMs: Date.now() });
  const whole = { ...response, status: 'completed' };
  return [
    JSON.stringify({ type: 'response.created', sequence_number: 0, response }),
    JSON.stringify({ type: 'response.completed', sequence_number: 1, response: whole }),
  ];
}

function steerRefusal({ previous_response_id, input }: { previous_response_id: string; input: unknown }) {
  return {
    type: 'response.steer.failed',
    sequence_number: 0,
    error: {
      type: 'invalid_request_error',
      code: 'steering_not_supported',
      message: 'A running generation takes no more input; cancel it, or send another response.create.',
    },
    steer: { previous_response_id, input },
  };
}
