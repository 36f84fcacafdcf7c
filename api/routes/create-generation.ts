/** `POST /v1/generations`: 201 with the id, or the stream. A retry with the same idempotency key joins the same run. */
import type { RequestHandler, Response } from 'express';
import type { GenerationEvent } from '../../contracts/events.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cacheHeaders } from '../generations/cache-headers.ts';
import { readView } from '../generations/generation-view.ts';
import type { Submitted } from '../generations/start-generation.ts';
import { submitGeneration } from '../generations/submit-generation.ts';
import { readGenerationRequest } from '../http/read-request.ts';
import { holdStatus } from '../relay/hold-status.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../relay/sse.ts';

export function createGeneration(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const generation = readGenerationRequest(request);
    const submitted = await submitGeneration(dependencies, callerIn(response), {
      request: generation,
      idempotencyKey: request.get('idempotency-key'),
    });
    await answerCreated(dependencies, response, { submitted, isStream: generation.stream === true });
  };
}

/** Answers with 201 and the view, or with the events from the first. */
export async function answerCreated(
  dependencies: ApiDependencies,
  response: Response,
  { submitted, isStream }: { readonly submitted: Submitted; readonly isStream: boolean },
): Promise<void> {
  if (isStream) {
    await streamFromStart(dependencies, submitted, response);
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

/** Sends nothing until the run is started and its answer has begun, so that an error before that is an HTTP error. */
async function streamFromStart(
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
  const limitMs = dependencies.statusHeldMs;
  const sink = holdStatus(createSseSink(response), { start, limitMs, closed, runStarted: started });
  try {
    await relayEvents(dependencies, { generationId, after: -1, sink, signal });
    await started;
    // This process shuts down before the first event: the client gets the id, and follows it at another process.
    if (!response.headersSent && !closed.aborted) startSse(response, generationId);
    response.end();
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}
