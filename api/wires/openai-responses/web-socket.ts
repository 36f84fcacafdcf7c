/**
 * WebSocket mode of OpenAI's Responses API, at `/v1/responses`: `response.create` frames come, the events of the
 * stream go, each as one JSON text. Turns of one lane (`stream_id`, or none) run one after the other. The socket may
 * be lost: the generation goes on, and `GET /v1/responses/:id?stream=true&starting_after=N` takes it up.
 * Source: developers.openai.com, "WebSocket mode", and the official client's ResponsesWS.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Message } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { DEFAULTS, LIMITS } from '../../../contracts/limits.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseWith } from '../../http/read-request.ts';
import { type ConnectionFlow, createConnectionFlow } from '../../relay/connection-flow.ts';
import { relayEvents } from '../../relay/relay-events.ts';
import {
  closeStalled,
  type FrameWork,
  type OpenSocket,
  type SocketRoute,
  type SocketSession,
  sendText,
} from '../../relay/socket-route.ts';
import { errorOf } from '../../relay/status-after-budget.ts';
import type { ViewerSink } from '../../relay/viewer.ts';
import { beginOrTakeUp, type WireRequest } from '../wire.ts';
import { toOpenAiError } from './errors.ts';
import { contextOf, conversationAfter } from './load-response.ts';
import { projectResponse } from './project.ts';
import { type ResponseCreate, type ResponseOrigin, responseCreateSchema, toGeneration } from './request.ts';
import { type ResponseContext, responseObject } from './response-object.ts';

export const responsesFrameSchema = z.discriminatedUnion('type', [
  z.object({
    ...responseCreateSchema.shape,
    type: z.literal('response.create'),
    stream_id: z.string().min(1).max(128).optional(),
    generate: z.boolean().optional(),
  }),
  z.object({
    type: z.literal('response.steer'),
    previous_response_id: z.string().max(LIMITS.idChars),
    input: z.unknown(),
  }),
]);
type CreateFrame = Extract<z.infer<typeof responsesFrameSchema>, { type: 'response.create' }>;

/** Responses that only this socket may chain from: unstored ones, and those that were only prepared. */
const REMEMBERED = 256;
/** Turns that may wait or run on one socket. */
const TURNS = 64;
const NO_HEADERS = { get: () => undefined };

export function openResponsesSocket(dependencies: ApiDependencies): SocketRoute {
  return {
    maxFrameBytes: LIMITS.requestBodyBytes,
    takesTickets: false,
    counts: 'all',
    open: (socket) => new ResponsesSession(dependencies, socket),
  };
}

class ResponsesSession implements SocketSession {
  readonly #dependencies: ApiDependencies;
  readonly #socket: OpenSocket;
  readonly #flow: ConnectionFlow;
  readonly #gone = new AbortController();
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #unstored = new Set<string>();
  readonly #prepared = new PreparedResponses();
  #turns = 0;

  constructor(dependencies: ApiDependencies, socket: OpenSocket) {
    this.#dependencies = dependencies;
    this.#socket = socket;
    this.#flow = createConnectionFlow(socket.connection);
  }

  take(json: unknown): FrameWork | null {
    const frame = parseWith(responsesFrameSchema, json);
    if (frame.type === 'response.steer') {
      this.#send(steerRefusal(frame.previous_response_id));
      return null;
    }
    const { stream_id: streamId } = frame;
    const fail = (error: UnbrokenError) => this.#sendError(error, streamId);
    if (this.#turns >= TURNS) {
      fail(new UnbrokenError('too_many_subscriptions', `One socket may have ${TURNS} turns.`));
      return null;
    }
    this.#turns += 1;
    return { run: (begun) => this.#runInLane(frame, begun), fail };
  }

  refuse(error: UnbrokenError): void {
    this.#sendError(error, undefined);
  }

  close(): void {
    this.#gone.abort();
  }

  #runInLane(frame: CreateFrame, begun: () => void): Promise<void> {
    const lane = frame.stream_id ?? '';
    const before = this.#lanes.get(lane) ?? Promise.resolve();
    const turn = before.then(() => this.#runTurn(frame, begun));
    // The next turn of the lane runs whatever became of this one.
    const over = turn
      .catch(() => undefined)
      .finally(() => {
        this.#turns -= 1;
        if (this.#lanes.get(lane) === over) this.#lanes.delete(lane);
      });
    this.#lanes.set(lane, over);
    return turn;
  }

  async #runTurn(frame: CreateFrame, begun: () => void): Promise<void> {
    const { config } = this.#dependencies;
    const conversation = await this.#conversationBefore(frame);
    const wire = toGeneration(config, { ...frame, background: false }, conversation);
    if (frame.generate === false) this.#prepare(wire, frame.stream_id);
    else {
      const head = await beginOrTakeUp(this.#dependencies, this.#socket.caller, wire, NO_HEADERS);
      begun();
      if (!wire.origin.store) this.#noteUnstored(head.generationId);
      await this.#relay(head, frame.stream_id);
    }
  }

  async #conversationBefore({ previous_response_id: id }: ResponseCreate): Promise<readonly Message[]> {
    if (id === null || id === undefined) return [];
    const isOwn = (known: string) => this.#unstored.has(known);
    return this.#prepared.get(id) ?? conversationAfter(this.#dependencies, this.#socket.caller, id, isOwn);
  }

  /** `generate: false`: the state of a turn without an answer; it can be chained from on this socket. */
  #prepare({ request, origin }: WireRequest<ResponseOrigin>, streamId: string | undefined): void {
    const messages = Array.isArray(request.input) ? request.input : [];
    const context: ResponseContext = {
      generationId: `gen_${randomBytes(16).toString('hex')}`,
      metadata: request.metadata ?? {},
      origin,
      input: { messages, maxOutputTokens: DEFAULTS.maxOutputTokens },
    };
    const response = responseObject(context, { ...NOTHING_YET, startedAtMs: Date.now() });
    this.#prepared.add(response.id, messages);
    const whole = { ...response, status: 'completed' };
    this.#send({ type: 'response.created', sequence_number: 0, response }, streamId);
    this.#send({ type: 'response.completed', sequence_number: 1, response: whole }, streamId);
  }

  #noteUnstored(generationId: string): void {
    this.#unstored.add(generationId);
    const [oldest] = this.#unstored;
    if (this.#unstored.size > REMEMBERED && oldest !== undefined) this.#unstored.delete(oldest);
  }

  async #relay(head: LogHead, streamId: string | undefined): Promise<void> {
    const { ws } = this.#socket;
    const { generationId } = head;
    const projection = projectResponse(await contextOf(this.#dependencies, head));
    const sink: ViewerSink = {
      ...this.#flow,
      send: (events) => {
        for (const event of events) {
          const refusal = event.seq === 1 && event.type === 'generation-error' ? event : null;
          if (refusal !== null) throw errorOf(refusal, generationId);
          for (const one of projection.push(event)) this.#send(one, streamId);
        }
      },
      heartbeat: () => ws.ping(),
      closeStalled: () => closeStalled(ws),
      coalesces: false,
    };
    const signal = this.#gone.signal;
    await relayEvents(this.#dependencies, { generationId, after: -1, sink, signal });
  }

  #sendError(error: UnbrokenError, streamId: string | undefined): void {
    this.#send({ type: 'error', status: error.entry.status, error: toOpenAiError(error) }, streamId);
  }

  #send(frame: object, streamId?: string): void {
    sendText(this.#socket.ws, withLane(JSON.stringify(frame), streamId));
  }
}

/** What was prepared on one socket, the newest of it, up to a number of bytes. */
export class PreparedResponses {
  readonly #messages = new Map<string, { readonly messages: readonly Message[]; readonly bytes: number }>();
  #bytes = 0;

  get(id: string): readonly Message[] | undefined {
    return this.#messages.get(id)?.messages;
  }

  /** @throws body_too_large for a conversation that alone is over the limit. */
  add(id: string, messages: readonly Message[]): void {
    const bytes = Buffer.byteLength(JSON.stringify(messages));
    const most = LIMITS.preparedBytesPerSocket;
    if (bytes > most) {
      throw new UnbrokenError('body_too_large', `A socket keeps ${most} bytes of prepared responses.`);
    }
    this.#messages.set(id, { messages, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#messages) {
      if (this.#bytes <= most && this.#messages.size <= REMEMBERED) return;
      this.#messages.delete(oldest);
      this.#bytes -= freed;
    }
  }
}

function withLane(json: string, streamId: string | undefined): string {
  return streamId === undefined ? json : `{"stream_id":${JSON.stringify(streamId)},${json.slice(1)}`;
}

const NOTHING_YET = { startedAtMs: 0, model: null, output: [], end: null };

function steerRefusal(previousResponseId: string) {
  return {
    type: 'response.steer.failed',
    sequence_number: 0,
    error: {
      type: 'invalid_request_error',
      code: 'steering_not_supported',
      message: 'A running generation takes no more input; cancel it, or send another response.create.',
    },
    steer: { previous_response_id: previousResponseId },
  };
}
