/** `GET /v1/generations/:id/events`: the log as server-sent events, from any cursor. */
import type { Request, RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { checkCursor } from '../relay/check-cursor.ts';
import { type RelaySource, relayEvents } from '../relay/relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../relay/sse.ts';

/** How long an `EventSource` waits before it comes back: after a failure, and after an end that was planned. */
const RETRY_MS = 1_000;
const ROTATED_RETRY_MS = 250;
/** An ended response that its viewer has not taken by then is cut. */
const END_MS = 500;

export function streamEvents(
  dependencies: RelaySource & Pick<ApiDependencies, 'runs' | 'log' | 'leaving'>,
): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const after = cursorOf(request);
    const untilMs = limitOf(request);
    // Counted from here: a platform counts from the arrival of the request.
    const limit = untilMs === null ? null : AbortSignal.timeout(untilMs);
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    await checkCursor(dependencies.log, head, { after, at: timeOf(request) });
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
    // On the signal of this request alone: one that lives as long as the process would hold every response that it
    // ended, as Node may forget a removal that is asked for by `addEventListener`'s own `signal`.
    signal.addEventListener('abort', cut, { once: true });
    const sink = createSseSink(response);
    try {
      await relayEvents(dependencies, { generationId: head.generationId, after, sink, signal });
      const why = leaving.aborted ? 'the server leaves' : limit?.aborted === true ? 'until_ms is over' : null;
      response.end(why === null ? undefined : `: ${why}\nretry: ${ROTATED_RETRY_MS}\n\n`);
    } catch (error) {
      if (!closed.aborted) throw error;
    }
  };
}

/** A viewer so slow that the end of its stream waits behind its text: a cut by us is as good as one by the platform. */
function destroyUnlessEnded(response: Response): void {
  const overdue = setTimeout(() => response.destroy(), END_MS);
  response.once('close', () => clearTimeout(overdue));
}

export function cursorOf(request: Request<{ id: string }>): number {
  const given = request.get('last-event-id') ?? request.query['after'];
  if (given === undefined || given === '') return -1;
  const cursor = typeof given === 'string' && /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (!(cursor >= -1)) throw new UnbrokenError('cursor_invalid', 'The cursor is not a whole number from -1.');
  return cursor;
}

/** `at` of the reader's last event; good only beside the `after` of the same request. */
export function timeOf(request: Request<{ id: string }>): number | undefined {
  const given = request.query['at'];
  if (given === undefined || request.get('last-event-id') !== undefined) return undefined;
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Number(given);
  throw new UnbrokenError('cursor_invalid', 'at: expected the `at` of the event that `after` names.');
}

function limitOf(request: Request<{ id: string }>): number | null {
  const given = request.query['until_ms'];
  if (given === undefined) return null;
  const limitMs = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (limitMs < 1) throw new UnbrokenError('invalid_request', 'until_ms: expected milliseconds from 1.');
  return limitMs;
}
