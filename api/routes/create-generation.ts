/** `POST /v1/generations`: 201 with the id, or the stream at once. The same key sent again joins the same run. */
import type { RequestHandler, Response } from 'express';
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { type GenerationEvent, isTerminal } from '../../contracts/events.ts';
import { callerIn } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readView } from '../generation-view.ts';
import { readRequest } from '../read-request.ts';
import { relayEvents } from '../relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../sse.ts';
import { submitGeneration } from '../submit-generation.ts';

export function createGeneration(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const asked = readRequest(request);
    const { generationId } = await submitGeneration(
      dependencies,
      callerIn(response),
      asked,
      request.get('idempotency-key'),
    );
    if (asked.stream === true) {
      await streamAtOnce(dependencies, generationId, response);
      return;
    }
    const view = await readView(dependencies.log, generationId, { withText: false });
    response
      .status(201)
      .location(`/v1/generations/${generationId}`)
      .json({ ...view, events: `/v1/generations/${generationId}/events` });
  };
}

/** Nothing is sent until more than the start is in the log: a generation that is refused gets its error as a status. */
async function streamAtOnce(
  dependencies: ApiDependencies,
  generationId: string,
  response: Response,
): Promise<void> {
  const sse = createSseSink(response);
  const closed = closedSignal(response);
  const signal = AbortSignal.any([closed, dependencies.leaving]);
  let held: GenerationEvent[] = [];
  const sink = {
    send: async (events: readonly GenerationEvent[]) => {
      if (response.headersSent) return sse.send(events);
      held.push(...events);
      const [second] = held.filter((event) => event.type !== 'generation-start');
      if (second === undefined) return;
      if (isTerminal(second) && second.type === 'generation-error') {
        const { code, message, details } = second.error;
        const resetsAtMs = details?.['resetsAtMs'];
        throw new UnbrokenError(isErrorCode(code) ? code : 'internal', message, {
          details: { ...details, generationId },
          ...(typeof resetsAtMs === 'number' ? { retryAfterMs: Math.max(0, resetsAtMs - Date.now()) } : {}),
        });
      }
      startSse(response, generationId);
      const all = held;
      held = [];
      await sse.send(all);
    },
    heartbeat: async () => {
      if (response.headersSent) await sse.heartbeat();
    },
  };
  try {
    await relayEvents(dependencies, { generationId, after: -1, sink, signal });
    // This process leaves before anything came: the reader learns the id, and follows it elsewhere.
    if (!response.headersSent && !closed.aborted) startSse(response, generationId);
    response.end();
  } catch (error) {
    if (!closed.aborted) throw error;
  }
}
