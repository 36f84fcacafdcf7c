/** `GET /v1/generations/:id/events`: the log as server-sent events, from any cursor. */
import type { Request, RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../find-generation.ts';
import { relayEvents } from '../relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../sse.ts';

export function streamEvents(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const after = cursorOf(request);
    const untilMs = limitOf(request);
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    if (after >= head.nextSeq) {
      throw new UnbrokenError(
        'cursor_invalid',
        `The log ends at ${head.nextSeq - 1}; the cursor is ${after}.`,
      );
    }
    const closed = closedSignal(response);
    const signal = untilMs === null ? closed : AbortSignal.any([closed, AbortSignal.timeout(untilMs)]);
    startSse(response, head.generationId);
    const sink = createSseSink(response);
    try {
      await relayEvents(dependencies, { generationId: head.generationId, after, sink, signal });
      response.end();
    } catch (error) {
      if (!closed.aborted) throw error;
    }
  };
}

function cursorOf(request: Request<{ id: string }>): number {
  const given = request.get('last-event-id') ?? request.query['after'];
  if (given === undefined || given === '') return -1;
  const cursor = typeof given === 'string' && /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (!(cursor >= -1)) throw new UnbrokenError('cursor_invalid', 'The cursor is not a whole number from -1.');
  return cursor;
}

function limitOf(request: Request<{ id: string }>): number | null {
  const given = request.query['until_ms'];
  if (given === undefined) return null;
  const limitMs = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (limitMs < 1) throw new UnbrokenError('invalid_request', 'until_ms: expected milliseconds from 1.');
  return limitMs;
}
