/** `POST /v1/generations`: 201 with the id, or the stream at once. The same key sent again joins the same run. */
import type { RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { generationRequestSchema } from '../../contracts/generation.ts';
import { callerIn } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readView } from '../generation-view.ts';
import { relayEvents } from '../relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../sse.ts';
import { startWithSecond } from '../start-with-second.ts';
import { submitGeneration } from '../submit-generation.ts';

export function createGeneration(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    if (!request.is('application/json')) {
      throw new UnbrokenError('unsupported_media_type', 'The body must be JSON.');
    }
    const parsed = generationRequestSchema.safeParse(request.body);
    if (!parsed.success) {
      const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
      throw new UnbrokenError('invalid_request', lines.join('; '));
    }
    const { generationId } = await submitGeneration(
      dependencies,
      callerIn(response),
      parsed.data,
      request.get('idempotency-key'),
    );
    if (parsed.data.stream === true) {
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
  const signal = closedSignal(response);
  const start = () => startSse(response, generationId);
  const sink = startWithSecond(createSseSink(response), start);
  try {
    await relayEvents(dependencies, { generationId, after: -1, sink, signal });
    response.end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
