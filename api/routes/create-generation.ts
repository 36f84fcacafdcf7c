/** `POST /v1/generations`: 201 with the id, or the stream at once. The same key sent again joins the same run. */
import type { RequestHandler, Response } from 'express';
import type { GenerationEvent } from '../../contracts/events.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cacheHeaders } from '../generations/cache-headers.ts';
import { readView } from '../generations/generation-view.ts';
import { type Submitted, submitGeneration } from '../generations/submit-generation.ts';
import { readGenerationRequest } from '../http/read-request.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../relay/sse.ts';
import { startWithSecond } from '../relay/status-after-budget.ts';

export function createGeneration(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const asked = readGenerationRequest(request);
    const submitted = await submitGeneration(
      dependencies,
      callerIn(response),
      asked,
      request.get('idempotency-key'),
    );
    await answerCreated(dependencies, submitted, asked.stream === true, response);
  };
}

/** 201 with the view, or the events from the first. */
export async function answerCreated(
  dependencies: ApiDependencies,
  submitted: Submitted,
  stream: boolean,
  response: Response,
): Promise<void> {
  if (stream) {
    await streamAtOnce(dependencies, submitted, response);
    return;
  }
  const { generationId, started } = submitted;
  await started;
  const view = await readView(dependencies.log, generationId, { withText: false });
  response
    .status(201)
    .location(`/v1/generations/${generationId}`)
    .json({ ...view, events: `/v1/generations/${generationId}/events` });
}

/**
 * Nothing is sent until the run is started and more than the start is in the log: a generation that is refused gets its
 * error as a status.
 */
async function streamAtOnce(
  dependencies: ApiDependencies,
  { generationId, started }: Submitted,
  response: Response,
): Promise<void> {
  const closed = closedSignal(response);
  const refused = new AbortController();
  started.catch(() => refused.abort());
  const signal = AbortSignal.any([closed, dependencies.leaving, refused.signal]);
  const start = (events: readonly GenerationEvent[]) => {
    response.set(cacheHeaders(events));
    startSse(response, generationId);
  };
  const sink = startWithSecond(createSseSink(response), start, started);
  try {
    await relayEvents(dependencies, { generationId, after: -1, sink, signal });
    await started;
    // This process leaves before anything came: the reader learns the id, and follows it elsewhere.
    if (!response.headersSent && !closed.aborted) startSse(response, generationId);
    response.end();
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}
