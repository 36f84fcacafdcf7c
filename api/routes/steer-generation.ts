/** `POST /v1/generations/:id/cap` and `/stop`: an administrator's hand on a generation that runs. Scope: admin. */
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

/** Raises the output cap, if the budgets have room; never lowers it. An ended generation stays as it is. */
export function raiseCap(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  const { budget, accounts, log } = dependencies;
  return async (request, response) => {
    const head = await findOfTenant(dependencies, response, request.params.id);
    const { generationId, tenant } = head;
    const { maxOutputTokens } = parseBody(request, capSchema);
    const owner = await accounts.ownerOf(tenant, generationId);
    if (owner !== null) {
      // Asked here, so that a refusal is the answer; the signal makes it part of the run's history.
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

/** Ends it as a cancel does: the call of the provider is stopped and the partial answer billed. */
export function stopGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findOfTenant(dependencies, response, request.params.id);
    const { generationId } = head;
    // A stream that runs learns it by its next append, as of a cancel.
    await dependencies.log.requestCancel(generationId);
    await ifRunExists(dependencies.temporal.workflow, head, (run) => run.signal(SIGNALS.stop));
    response.status(202).json(await readView(dependencies.log, generationId, { withText: false }));
  };
}

/** An administrator steers the generations of all users of the tenant. */
function findOfTenant(dependencies: ApiDependencies, response: Response, id: string): Promise<LogHead> {
  const caller = callerIn(response);
  return findGeneration(dependencies, { ...caller, scopes: [...caller.scopes, 'any-user'] }, id);
}
