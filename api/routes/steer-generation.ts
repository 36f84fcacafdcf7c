/** `POST /v1/generations/:id/cap` and `/stop`: let an admin steer a running generation. Scope: admin. */
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { SIGNALS } from '../../contracts/names.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { budgetExceeded } from '../generations/budget-exceeded.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';
import { ifRunExists } from '../generations/if-run-exists.ts';
import { parseBody } from '../http/read-request.ts';

export const capSchema = z.strictObject({ maxOutputTokens: z.int().min(1).max(LIMITS.maxOutputTokens) });

/** Raises the output cap if the budgets allow it; never lowers it. Does nothing to an ended generation. */
export function raiseCap(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  const { budget, accounts, log } = dependencies;
  return async (request, response) => {
    const head = await findOfTenant(dependencies, response, request.params.id);
    const { generationId, tenant } = head;
    const { maxOutputTokens } = parseBody(request, capSchema);
    const owner = await accounts.ownerOf(tenant, generationId);
    if (owner !== null) {
      // Reserved here, so that this request gets the refusal. The signal then puts the raise into the run's history.
      const outcome = await budget.raise({ ...owner, generationId, maxOutputTokens });
      if (!outcome.granted && outcome.budget !== null) throw budgetExceeded(outcome);
    }
    // A run that has ended takes no signal, and needs none.
    await ifRunExists(dependencies.temporal.workflow, head, (run) =>
      run.signal(SIGNALS.raiseCap, { maxOutputTokens }),
    );
    response.status(202).json(await readView(log, generationId, { withText: false }));
  };
}

/** Like a cancel: stops the provider call and bills the partial answer. */
export function stopGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findOfTenant(dependencies, response, request.params.id);
    const { generationId } = head;
    // A running stream learns of it from its next append.
    await dependencies.log.requestCancel(generationId);
    await ifRunExists(dependencies.temporal.workflow, head, (run) => run.signal(SIGNALS.stop));
    response.status(202).json(await readView(dependencies.log, generationId, { withText: false }));
  };
}

/** An admin may steer the generations of every user of the tenant. */
function findOfTenant(dependencies: ApiDependencies, response: Response, id: string): Promise<LogHead> {
  const caller = callerIn(response);
  return findGeneration(dependencies, { ...caller, scopes: [...caller.scopes, 'any-user'] }, id);
}
