/** Carries a generation to a client in its own format: as a stream, or whole when it has ended. */
import type { Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { relayEvents, type ViewerSink } from '../relay-events.ts';
import { closedSignal, createResponseSink, startSse } from '../sse.ts';
import { errorOf, startWithSecond } from '../start-with-second.ts';
import { type Answer, type AnswerFold, createAnswerFold } from './answer.ts';
import { setUnbrokenHeaders, unbrokenComment } from './unbroken-headers.ts';
import type { Projection } from './wire.ts';

export interface StreamPlan {
  readonly generationId: string;
  /** The bytes of one event of the log; '' where the format has none or the client has it already. */
  readonly encode: (event: GenerationEvent) => string;
  /** Written after the last frame, such as `data: [DONE]`. */
  readonly last?: () => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly coalesces: boolean;
  /** True where the encoder has ended the answer before the log has ended. */
  readonly isOver?: () => boolean;
  /** False where a refusal before the first token is part of the stream instead of the status. */
  readonly refusalIsStatus?: boolean;
}

/** Streams the log from its first event on through `encode`. Resolves when the response has ended. */
export async function streamToClient(
  dependencies: ApiDependencies,
  response: Response,
  plan: StreamPlan,
): Promise<void> {
  const fold = createAnswerFold();
  const closed = closedSignal(response);
  const over = new AbortController();
  const sink = createResponseSink(response, {
    coalesces: plan.coalesces,
    encode: (events) => {
      let text = '';
      for (const event of events) {
        fold.push(event);
        text += plan.encode(event);
      }
      if (plan.isOver?.() === true) over.abort();
      return text;
    },
  });
  const start = (events: readonly GenerationEvent[]) => {
    const first = createAnswerFold();
    for (const event of events) first.push(event);
    setUnbrokenHeaders(response, { ...first.answer(), end: null });
    response.set(plan.headers ?? {});
    startSse(response, plan.generationId);
  };
  const starting = plan.refusalIsStatus === false ? startAtOnce(sink, start) : startWithSecond(sink, start);
  try {
    await relayEvents(dependencies, {
      generationId: plan.generationId,
      after: -1,
      sink: starting,
      signal: AbortSignal.any([closed, over.signal]),
    });
    if (!closed.aborted) response.end(`${unbrokenComment(fold.answer())}${plan.last?.() ?? ''}`);
  } catch (error) {
    if (!closed.aborted) throw error;
  }
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

/** Waits for the end. Resolves with null where the client has gone before. */
export async function waitForAnswer(
  dependencies: ApiDependencies,
  response: Response,
  generationId: string,
  also?: Projection<unknown>,
): Promise<Answer | null> {
  const closed = closedSignal(response);
  const fold = createAnswerFold();
  await relayEvents(dependencies, {
    ...{ generationId, after: -1, signal: closed },
    sink: collectingSink(fold, also),
  });
  return closed.aborted ? null : fold.answer();
}

/** The same, for an answer that must be there whole; its error becomes the status of the response. */
export async function waitForWholeAnswer(
  dependencies: ApiDependencies,
  response: Response,
  generationId: string,
): Promise<Answer | null> {
  const answer = await waitForAnswer(dependencies, response, generationId);
  if (answer === null) return null;
  setUnbrokenHeaders(response, answer);
  if (answer.end?.type === 'generation-error') throw errorOf(answer.end, generationId);
  if (answer.end?.type === 'generation-cancel') {
    throw new UnbrokenError('cancelled', `The generation ${generationId} was cancelled.`);
  }
  return answer;
}

/** A viewer in this process. Where each event counts (`also`), nothing is merged. */
export function collectingSink(fold: AnswerFold, also?: Projection<unknown>): ViewerSink {
  return {
    ready: () => true,
    whenReady: async () => true,
    send: (events) => {
      for (const event of events) {
        fold.push(event);
        also?.push(event);
      }
    },
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: also === undefined,
  };
}
