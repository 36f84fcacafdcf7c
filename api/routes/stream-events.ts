/** `GET /v1/generations/:id/events`: the log as server-sent events, from any cursor. */
import type { Request, RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { checkCursor, hasWholeLog, isReadToEnd, lastEventIdOf } from '../relay/check-cursor.ts';
import { openEventConnection } from '../relay/event-connection.ts';
import { EventStream, type EventStreamSource } from '../relay/event-stream.ts';
import { startSse } from '../relay/sse.ts';

type StreamDependencies = EventStreamSource & Pick<ApiDependencies, 'runs'>;

export function streamEvents(dependencies: StreamDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const after = cursorOf(request);
    const untilMs = limitOf(request);
    // Starts now, because a serverless platform counts from the arrival of the request.
    const endsAtMs = untilMs === null ? null : performance.now() + untilMs;
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    await checkCursor(dependencies.log, head, { after, at: timeOf(request) });
    if (isReadToEnd(request, head, after)) {
      response.status(204).end();
      return;
    }
    const { generationId } = head;
    startSse(response, generationId);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    // Not awaited: a handler that waits keeps its request and all that it passed.
    const followed = { generationId, after, endsAtMs, hasWholeLog: hasWholeLog(head, after) };
    new EventStream(dependencies, openEventConnection(response), followed).start();
  };
}

export function cursorOf(request: Request<{ id: string }>): number {
  const after = lastEventIdOf(request) ?? request.query['after'];
  if (after === undefined || after === '') return -1;
  const cursor = typeof after === 'string' && /^-?\d{1,15}$/.test(after) ? Number(after) : Number.NaN;
  if (!(cursor >= -1)) throw new UnbrokenError('cursor_invalid', 'The cursor is not a whole number from -1.');
  return cursor;
}

/** `at` of the reader's last event; valid only with `after` in the same request. */
export function timeOf(request: Request<{ id: string }>): number | undefined {
  const { at } = request.query;
  if (at === undefined || lastEventIdOf(request) !== undefined) return undefined;
  if (typeof at === 'string' && /^\d{1,15}$/.test(at)) return Number(at);
  throw new UnbrokenError('cursor_invalid', 'at: expected the `at` of the event that `after` names.');
}

function limitOf(request: Request<{ id: string }>): number | null {
  const { until_ms: untilMs } = request.query;
  if (untilMs === undefined) return null;
  const limitMs = typeof untilMs === 'string' && /^\d{1,9}$/.test(untilMs) ? Number(untilMs) : 0;
  if (limitMs < 1) throw new UnbrokenError('invalid_request', 'until_ms: expected milliseconds from 1.');
  return limitMs;
}
