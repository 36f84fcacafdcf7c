/** Streams generations to a client in the format of its request. */
import type { Response } from 'express';
import type { ErrorCode } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cacheHeaders } from '../generations/cache-headers.ts';
import { ConnectionFlow } from '../relay/connection-flow.ts';
import { holdStatus } from '../relay/hold-status.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { closedSignal, createResponseSink, startSse } from '../relay/sse.ts';
import type { ViewerSink } from '../relay/viewer.ts';
import { FactsFold, sumOfFacts } from './answer.ts';
import type { DroppedFields } from './dropped-fields.ts';
import { setUnbrokenHeaders, unbrokenComment } from './unbroken-headers.ts';

interface StreamedLog {
  readonly generationId: string;
  /** The bytes of one event of the log; '' if the format has none, or the client has them already. */
  readonly encode: (event: GenerationEvent) => string;
}

interface StreamPlan extends StreamedLog {
  /** Further logs, whose frames are written as they come between those of the first. */
  readonly others?: readonly StreamedLog[];
  /** Written after the last frame, such as `data: [DONE]`. */
  readonly last?: () => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly coalesces: boolean;
  /** Whether the encoder has ended the answer before the end of the log. */
  readonly isOver?: () => boolean;
  /** Names what did not reach the model. */
  readonly dropped?: DroppedFields | undefined;
  /** False: a refusal before the first token is sent in the stream. Default: it becomes the HTTP status. */
  readonly refusalIsStatus?: boolean;
  /** Codes of refusals that are sent in the stream all the same. */
  readonly streamedRefusals?: ReadonlySet<ErrorCode>;
  /** When set, only heartbeats are sent until the log has ended; then this is called before the first event. */
  readonly afterEnd?: (() => Promise<void>) | undefined;
}

/** Streams the log from its first event through `encode`. Resolves when the response has ended. */
export async function streamToClient(
  dependencies: ApiDependencies,
  response: Response,
  plan: StreamPlan,
): Promise<void> {
  const { generationId } = plan;
  // A response to HEAD has no body: without this its connection would stay open until the generation has ended.
  if (response.req.method === 'HEAD') {
    startSse(response, generationId);
    response.end();
    return;
  }
  await new ClientStream(dependencies, response, plan).run();
}

interface FactualLog extends StreamedLog {
  readonly facts: FactsFold;
}

class ClientStream {
  readonly #dependencies: ApiDependencies;
  readonly #response: Response;
  readonly #plan: StreamPlan;
  readonly #logs: readonly FactualLog[];
  readonly #flow: ConnectionFlow;
  readonly #closed: AbortSignal;
  readonly #over = new AbortController();

  constructor(dependencies: ApiDependencies, response: Response, plan: StreamPlan) {
    this.#dependencies = dependencies;
    this.#response = response;
    this.#plan = plan;
    this.#logs = [plan, ...(plan.others ?? [])].map(({ generationId, encode }) => ({
      generationId,
      encode,
      facts: new FactsFold(),
    }));
    this.#flow = new ConnectionFlow(response);
    this.#closed = closedSignal(response);
  }

  async run(): Promise<void> {
    const { afterEnd, dropped, last } = this.#plan;
    try {
      if (afterEnd !== undefined) {
        await this.#relay((sink) => heartbeatsOf(sink, this.#dependencies.heartbeatMs));
        await afterEnd();
      }
      await this.#relay((sink) => sink);
      if (this.#closed.aborted) return;
      const facts = sumOfFacts(this.#logs.map((log) => log.facts.value()));
      this.#response.end(`${unbrokenComment(facts, dropped)}${last?.() ?? ''}`);
    } catch (error) {
      if (!this.#closed.aborted) throw error;
    }
  }

  async #relay(viewerOf: (sink: ViewerSink) => ViewerSink): Promise<void> {
    const signal = AbortSignal.any([this.#closed, this.#over.signal]);
    const relays = this.#logs.map((log) => {
      const sink = this.#starting(viewerOf(this.#sinkOf(log)));
      return relayEvents(this.#dependencies, { generationId: log.generationId, after: -1, sink, signal });
    });
    try {
      await Promise.all(relays);
    } catch (error) {
      // Without one of the logs the answer cannot be whole.
      this.#over.abort();
      throw error;
    }
  }

  #sinkOf({ encode, facts }: FactualLog): ViewerSink {
    const { coalesces, isOver } = this.#plan;
    const encodeAll = (events: readonly GenerationEvent[]) => {
      let text = '';
      for (const event of events) {
        facts.push(event);
        text += encode(event);
      }
      if (isOver?.() === true) this.#over.abort();
      return text;
    };
    return createResponseSink(this.#response, { coalesces, encode: encodeAll }, this.#flow);
  }

  /** The first log with content starts the response, and the others follow. */
  #starting(sink: ViewerSink): ViewerSink {
    const start = (events: readonly GenerationEvent[]) => this.#start(events);
    const isStarted = () => this.#response.headersSent;
    const { refusalIsStatus, streamedRefusals } = this.#plan;
    if (refusalIsStatus === false || isStarted()) return startAtOnce(sink, start);
    const limitMs = this.#dependencies.statusHeldMs;
    return holdStatus(sink, { start, limitMs, closed: this.#closed, isStarted, streamedRefusals });
  }

  #start(events: readonly GenerationEvent[]): void {
    const { generationId, headers = {}, dropped } = this.#plan;
    if (this.#response.headersSent) return;
    const first = new FactsFold();
    for (const event of events) first.push(event);
    setUnbrokenHeaders(this.#response, { ...first.value(), generationId, end: null }, dropped);
    this.#response.set(cacheHeaders(events));
    this.#response.set(headers);
    startSse(this.#response, generationId);
  }
}

/** Sends heartbeats in place of events, which hide the silence that heartbeats normally follow. */
function heartbeatsOf(sink: ViewerSink, heartbeatMs: number): ViewerSink {
  let lastBeatAtMs = Date.now();
  return {
    ...sink,
    send: () => {
      if (Date.now() - lastBeatAtMs < heartbeatMs) return;
      lastBeatAtMs = Date.now();
      sink.heartbeat();
    },
  };
}

function startAtOnce(sink: ViewerSink, start: (events: readonly GenerationEvent[]) => void): ViewerSink {
  let started = false;
  return {
    ...sink,
    send: (events) => {
      if (!started) start(events);
      started = true;
      sink.send(events);
    },
    heartbeat: () => {
      if (started) sink.heartbeat();
    },
  };
}
