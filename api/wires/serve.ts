/** Delivers a generation to a client in the format of its request: as a stream, or whole once it has ended. */
import type { Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cacheHeaders } from '../generations/cache-headers.ts';
import { holdStatus, toGenerationFailure } from '../relay/hold-status.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { closedSignal, createResponseSink, startSse } from '../relay/sse.ts';
import type { ViewerSink } from '../relay/viewer.ts';
import { type Answer, AnswerFold, FactsFold, type Fold } from './answer.ts';
import type { DroppedFields } from './dropped-fields.ts';
import { setUnbrokenHeaders, unbrokenComment } from './unbroken-headers.ts';

interface StreamPlan {
  readonly generationId: string;
  /** The bytes of one event of the log; '' if the format has none, or the client has them already. */
  readonly encode: (event: GenerationEvent) => string;
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
  const facts = new FactsFold();
  const closed = closedSignal(response);
  const over = new AbortController();
  const sink = createResponseSink(response, {
    coalesces: plan.coalesces,
    encode: (events) => {
      let text = '';
      for (const event of events) {
        facts.push(event);
        text += plan.encode(event);
      }
      if (plan.isOver?.() === true) over.abort();
      return text;
    },
  });
  const start = (events: readonly GenerationEvent[]) => {
    if (response.headersSent) return;
    const first = new FactsFold();
    for (const event of events) first.push(event);
    setUnbrokenHeaders(response, { ...first.value(), end: null }, plan.dropped);
    response.set(cacheHeaders(events));
    response.set(plan.headers ?? {});
    startSse(response, generationId);
  };
  const relayTo = async (viewer: ViewerSink) => {
    const isDecided = plan.refusalIsStatus === false || response.headersSent;
    const limitMs = dependencies.statusHeldMs;
    const starting = isDecided ? startAtOnce(viewer, start) : holdStatus(viewer, { start, limitMs, closed });
    const signal = AbortSignal.any([closed, over.signal]);
    await relayEvents(dependencies, { generationId, after: -1, sink: starting, signal });
  };
  try {
    if (plan.afterEnd !== undefined) {
      await relayTo(heartbeatsOf(sink, dependencies.heartbeatMs));
      await plan.afterEnd();
    }
    await relayTo(sink);
    if (!closed.aborted)
      response.end(`${unbrokenComment(facts.value(), plan.dropped)}${plan.last?.() ?? ''}`);
  } catch (error) {
    if (!closed.aborted) throw error;
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

/** Waits for the end of the log. Resolves with null if the client disconnects first. */
export async function waitForEnd<Value>(
  dependencies: ApiDependencies,
  response: Response,
  generationId: string,
  fold: Fold<Value>,
): Promise<Value | null> {
  const closed = closedSignal(response);
  await relayEvents(dependencies, {
    generationId,
    after: -1,
    signal: closed,
    sink: collectingSink(fold),
  });
  return closed.aborted ? null : fold.value();
}

/** Waits for the whole answer. Throws what ended it otherwise, so that it becomes the status of the response. */
export async function waitForWholeAnswer(
  dependencies: ApiDependencies,
  response: Response,
  generationId: string,
  dropped?: DroppedFields,
): Promise<Answer | null> {
  const answer = await waitForEnd(dependencies, response, generationId, new AnswerFold());
  if (answer === null) return null;
  setUnbrokenHeaders(response, answer, dropped);
  if (answer.end?.type === 'generation-error') throw toGenerationFailure(answer.end, generationId);
  if (answer.end?.type === 'generation-cancel') {
    throw new UnbrokenError('cancelled', `The generation ${generationId} was cancelled.`);
  }
  return answer;
}

/** A viewer that folds the events in this process. */
export function collectingSink(fold: Pick<Fold<unknown>, 'push'>): ViewerSink {
  return {
    ready: () => true,
    whenReady: async () => true,
    send: (events) => {
      for (const event of events) fold.push(event);
    },
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: true,
  };
}
