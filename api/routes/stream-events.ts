/** `GET /v1/generations/:id/events`: the log as server-sent events, from any cursor. */
import type { Request, RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { checkCursor, isReadToEnd } from '../relay/check-cursor.ts';
import { type RelaySource, relayEvents } from '../relay/relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../relay/sse.ts';

/** How long an `EventSource` waits before it reconnects: after a failure, and after a planned end. */
const RETRY_MS = 1_000;
const ROTATED_RETRY_MS = 250;
/** Grace period for a client to read the end of its response; then the connection is cut. */
const END_MS = 500;

export function streamEvents(
  dependencies: RelaySource & Pick<ApiDependencies, 'runs' | 'log' | 'leaving'>,
): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const after = cursorOf(request);
    const untilMs = limitOf(request);
    // Starts now, because a serverless platform counts from the arrival of the request.
    const limit = untilMs === null ? null : AbortSignal.timeout(untilMs);
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    await checkCursor(dependencies.log, head, { after, at: timeOf(request) });
    if (isReadToEnd(request, head, after)) {
      response.status(204).end();
      return;
    }
    const closed = closedSignal(response);
    const { leaving } = dependencies;
    const ends = limit === null ? [leaving] : [leaving, limit];
    const signal = AbortSignal.any([closed, ...ends]);
    startSse(response, head.generationId);
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    response.write(`retry: ${RETRY_MS}\n\n`);
    const cut = () => {
      if (!closed.aborted) destroyUnlessEnded(response);
    };
    // Listens on this request's own signal. A signal that lives as long as the process would keep every response alive,
    // because Node can lose the removal that `addEventListener` does for its `signal` option.
    signal.addEventListener('abort', cut, { once: true });
    const sink = createSseSink(response);
    try {
      await relayEvents(dependencies, { generationId: head.generationId, after, sink, signal });
      const why = leaving.aborted
        ? 'the server shuts down'
        : limit?.aborted === true
          ? 'until_ms is over'
          : null;
      response.end(why === null ? undefined : `: ${why}\nretry: ${ROTATED_RETRY_MS}\n\n`);
    } catch (error) {
      if (!closed.aborted) throw error;
    }
  };
}

/** For a client so slow that the end of its stream waits behind text: a cut by the platform would be no better. */
function destroyUnlessEnded(response: Response): void {
  const overdue = setTimeout(() => response.destroy(), END_MS);
  response.once('close', () => clearTimeout(overdue));
}

export function cursorOf(request: Request<{ id: string }>): number {
  const after = request.get('last-event-id') ?? request.query['after'];
  if (after === undefined || after === '') return -1;
  const cursor = typeof after === 'string' && /^-?\d{1,15}$/.test(after) ? Number(after) : Number.NaN;
  if (!(cursor >= -1)) throw new UnbrokenError('cursor_invalid', 'The cursor is not a whole number from -1.');
  return cursor;
}

/** `at` of the reader's last event; valid only with `after` in the same request. */
export function timeOf(request: Request<{ id: string }>): number | undefined {
  const { at } = request.query;
  if (at === undefined || request.get('last-event-id') !== undefined) return undefined;
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
