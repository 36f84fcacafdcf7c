/** `POST /v1/tickets`: issues a ticket, which a browser puts into the URL of a stream in place of a key. */
import type { RequestHandler } from 'express';
import { createTicketSchema } from '../../contracts/keys.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { parseBody } from '../http/read-request.ts';

export function createTicket(dependencies: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const caller = callerIn(response);
    const order = parseBody(request, createTicketSchema);
    if (order.generationId !== undefined) await findGeneration(dependencies, caller, order.generationId);
    response.status(201).json(await dependencies.tickets.issue(caller, order));
  };
}
