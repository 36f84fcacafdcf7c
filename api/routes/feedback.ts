/** Readers' feedback on answers. A generation has one; a second replaces the first. */
import type { RequestHandler, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { feedbackSchema, promptNameSchema } from '../../contracts/prompts.ts';
import type { FeedbackTarget } from '../../engine/prompts/prompt-stats.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import { assertScope, callerIn, hasScope } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { complain } from '../generations/complain.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { pageQuerySchema, parseBody, parseQuery, parseWith } from '../http/read-request.ts';

/** `POST /v1/generations/:id/feedback`. */
export function giveFeedback(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const feedback = parseBody(request, feedbackSchema);
    const { head, target } = await targetOf(dependencies, response, request.params.id);
    // Before the feedback is recorded: a caller who gets no answer repeats the request, and both steps are repeatable.
    const cache = feedback.score < 0 ? await complain(dependencies, head) : undefined;
    const owned = { ...target, user: head.user };
    const recorded = await dependencies.promptStats.giveFeedback(owned, feedback);
    response.json({ ...recorded, ...(cache === undefined ? {} : { cache }) });
  };
}

/** `GET /v1/generations/:id/feedback`. */
export function getFeedback(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { target } = await targetOf(dependencies, response, request.params.id);
    const feedback = await dependencies.promptStats.readFeedback(target);
    if (feedback === null) {
      throw new UnbrokenError('not_found', `There is no feedback on ${target.generationId}.`);
    }
    response.json(feedback);
  };
}

/** `GET /v1/prompts/:name/feedback?limit=`: newest first, of all users; so the key of one user may not read it. */
export function listFeedback({ promptStats }: ApiDependencies): RequestHandler<{ name: string }> {
  return async (request, response) => {
    const caller = callerIn(response);
    if (!hasScope(caller, 'admin')) assertScope(caller, 'any-user');
    const name = parseWith(promptNameSchema, request.params.name, 'name');
    const { limit } = parseQuery(request, pageQuerySchema);
    response.json({ data: await promptStats.listFeedback(caller.tenant, name, limit) });
  };
}

async function targetOf(
  dependencies: ApiDependencies,
  response: Response,
  id: string,
): Promise<{ readonly head: LogHead; readonly target: FeedbackTarget }> {
  const head = await findGeneration(dependencies, callerIn(response), id);
  const { tenant, generationId } = head;
  const stored = await dependencies.log.view(generationId);
  const input = stored?.view === null ? await dependencies.log.readInput(generationId) : null;
  const prompt = stored?.view?.prompt ?? input?.prompt ?? null;
  return { head, target: { tenant, generationId, prompt } };
}
