/**
 * `GET /v1/generations/:id/standing` and `GET /v1/generations/:id/pages/:page`: for relays at the edge, which call them
 * with the credentials of their caller. Events of a page are not merged.
 */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { EVENTS_PER_PAGE, type LogPage, type LogStanding } from '../../contracts/log-pages.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { checkCursor } from '../relay/check-cursor.ts';
import { cursorOf, timeOf } from './stream-events.ts';

export function getStanding(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    await checkCursor(dependencies.log, head, { after: cursorOf(request), at: timeOf(request) });
    const { generationId: id, tenant, status, nextSeq, torn } = head;
    const lost = torn === null ? {} : { tornUntil: torn.until };
    response.json({ id, tenant, status, nextSeq, ...lost } satisfies LogStanding);
  };
}

export function getLogPage(dependencies: ApiDependencies): RequestHandler<{ id: string; page: string }> {
  return async (request, response) => {
    const page = /^\d{1,9}$/.test(request.params.page) ? Number(request.params.page) : Number.NaN;
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    if (!(page * EVENTS_PER_PAGE < head.nextSeq)) {
      throw new UnbrokenError('cursor_invalid', `The log has ${head.nextSeq} events; page: a number from 0.`);
    }
    const after = page * EVENTS_PER_PAGE - 1;
    const read = await dependencies.log.read(head.generationId, after, EVENTS_PER_PAGE);
    const events = read.slice(0, EVENTS_PER_PAGE);
    const last = events.at(-1);
    const whole = events.length === EVENTS_PER_PAGE || (last !== undefined && isTerminal(last));
    response.json({ page, events, whole } satisfies LogPage);
  };
}
