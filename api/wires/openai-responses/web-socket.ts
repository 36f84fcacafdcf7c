/**
 * WebSocket mode of OpenAI's Responses API, at `/v1/responses`. The client sends `response.create` frames and receives
 * the events of the stream, each as one JSON text. The turns of one lane (`stream_id`, or none) run one at a time. When
 * the socket is lost the generation continues, and `GET /v1/responses/:id?stream=true&starting_after=N` resumes it.
 * Source: developers.openai.com, "WebSocket mode", and the official client's ResponsesWS.
 */
import { randomBytes } from 'node:crypto';
import { functionTools } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { DEFAULTS } from '../../../contracts/limits.ts';
import { isAdditionalTool } from '../../../contracts/responses-tools.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import { BoundedMap } from '../../../platform/bounded-map.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseWith } from '../../http/read-request.ts';
import { ConnectionFlow } from '../../relay/connection-flow.ts';
import { toGenerationFailure } from '../../relay/hold-status.ts';
import { relayEvents } from '../../relay/relay-events.ts';
import {
  closeStalled,
  type FrameWork,
  type OpenSocket,
  type SocketRoute,
  type SocketSession,
  sendText,
} from '../../relay/socket-route.ts';
import type { ViewerSink } from '../../relay/viewer.ts';
import { startOrResume, type WireRequest } from '../wire.ts';
import { openAiStatus, toOpenAiError } from './errors.ts';
import { contextOf } from './load-response.ts';
import { messagesBefore } from './messages-before.ts';
import { PreparedResponses } from './prepared-responses.ts';
import { ResponseProjection } from './project.ts';
import {
  type CreateFrame,
  mapResponseCreate,
  type ResponseCreate,
  type ResponseOrigin,
  responsesFrameSchema,
} from './request.ts';
import { resolveInput } from './resolve-references.ts';
import { type ResponseContext, responseObject } from './response-object.ts';

/** Unstored responses that this socket, and no other, may chain from. */
const MAX_UNSTORED = 256;
/** Turns that may wait or run on one socket. */
const MAX_TURNS = 64;
const NO_HEADERS = { get: () => undefined };

export function openResponsesSocket(dependencies: ApiDependencies): SocketRoute {
  return {
    maxFrameBytes: dependencies.config.http.bodyBytes,
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
  readonly #unstored = new BoundedMap<string, true>(MAX_UNSTORED);
  readonly #prepared = new PreparedResponses();
  #turns = 0;

  constructor(dependencies: ApiDependencies, socket: OpenSocket) {
    this.#dependencies = dependencies;
    this.#socket = socket;
    this.#flow = new ConnectionFlow(socket.connection);
  }

  take(json: unknown): FrameWork | null {
    const frame = parseWith(responsesFrameSchema, json);
    if (frame.type === 'response.steer') {
      this.#send(steerRefusal(frame.previous_response_id));
      return null;
    }
    const { stream_id: streamId } = frame;
    const fail = (error: UnbrokenError) => this.#sendError(error, streamId);
    if (this.#turns >= MAX_TURNS) {
      fail(new UnbrokenError('too_many_subscriptions', `One socket may have ${MAX_TURNS} turns.`));
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
    // The next turn of the lane runs even if this one fails.
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
    const { turn, ...before } = await this.#messagesBefore(frame);
    const { caller } = this.#socket;
    const resolved = await resolveInput(this.#dependencies, caller, frame, this.#isOwn);
    const wire = { ...mapResponseCreate(config, { ...resolved, background: false }, before), turn };
    if (frame.generate === false) this.#prepare(wire, frame.stream_id);
    else {
      const head = await startOrResume(this.#dependencies, this.#socket.caller, wire, NO_HEADERS);
      begun();
      if (!wire.origin.store) this.#unstored.set(head.generationId, true);
      await this.#relay(head, frame.stream_id);
    }
  }

  async #messagesBefore(frame: ResponseCreate): ReturnType<typeof messagesBefore> {
    const prepared = this.#prepared.get(frame.previous_response_id ?? '');
    if (prepared !== undefined) return prepared;
    return messagesBefore(this.#dependencies, this.#socket.caller, frame, this.#isOwn);
  }

  readonly #isOwn = (generationId: string): boolean => this.#unstored.get(generationId) === true;

  /** `generate: false` prepares a turn without an answer; later turns of this socket can chain from it. */
  #prepare({ request, origin }: WireRequest<ResponseOrigin>, streamId: string | undefined): void {
    const messages = Array.isArray(request.input) ? request.input : [];
    const context: ResponseContext = {
      generationId: `gen_${randomBytes(16).toString('hex')}`,
      metadata: request.metadata ?? {},
      origin,
      input: { messages, maxOutputTokens: DEFAULTS.maxOutputTokens, capFrom: 'default' },
    };
    const response = responseObject(context, { ...NOTHING_YET, startedAtMs: Date.now() });
    this.#prepared.add(response.id, {
      messages,
      tools: functionTools(request.tools).filter(isAdditionalTool),
    });
    const whole = { ...response, status: 'completed' };
    this.#send({ type: 'response.created', sequence_number: 0, response }, streamId);
    this.#send({ type: 'response.completed', sequence_number: 1, response: whole }, streamId);
  }

  async #relay(head: LogHead, streamId: string | undefined): Promise<void> {
    const { ws } = this.#socket;
    const { generationId } = head;
    const projection = new ResponseProjection(await contextOf(this.#dependencies, head));
    const sink: ViewerSink = {
      ready: () => this.#flow.ready(),
      whenReady: () => this.#flow.whenReady(),
      send: (events) => {
        for (const event of events) {
          const refusal = event.seq === 1 && event.type === 'generation-error' ? event : null;
          if (refusal !== null) throw toGenerationFailure(refusal, generationId);
          for (const frame of projection.push(event)) this.#send(frame, streamId);
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
    this.#send({ type: 'error', status: openAiStatus(error), error: toOpenAiError(error) }, streamId);
  }

  #send(frame: object, streamId?: string): void {
    sendText(this.#socket.ws, withLane(JSON.stringify(frame), streamId));
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
      message: 'A running generation accepts no more input; cancel it, or send another response.create.',
    },
    steer: { previous_response_id: previousResponseId },
  };
}
