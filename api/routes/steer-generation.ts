/** `POST /v1/generations/:id/cap` and `/stop`: an administrator's hand on a generation that runs. Scope: admin. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { RequestHandler, Response } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { SIGNALS, workflowId } from '../../contracts/names.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { budgetExceeded } from '../generations/budget-exceeded.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';
import { parseBody } from '../http/read-request.ts';

export const capSchema = z.strictObject({ maxOutputTokens: z.int().min(1).max(LIMITS.maxOutputTokens) });

/** Raises the output cap, if the budgets have room; never lowers it. An ended generation stays as it is. */
export function raiseCap(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  const { budget, accounts, log } = dependencies;
  return async (request, response) => {
    const { generationId, tenant } = await findOfTenant(dependencies, response, request.params.id);
    const { maxOutputTokens } = parseBody(request, capSchema);
    const owner = await accounts.ownerOf(tenant, generationId);
    if (owner !== null) {
      // Asked here, so that a refusal is the answer; the signal makes it part of the run's history.
      const outcome = await budget.raise({ ...owner, generationId, maxOutputTokens });
      if (!outcome.granted && outcome.budget !== null) throw budgetExceeded(outcome);
    }
    await signal(dependencies, workflowId(tenant, generationId), SIGNALS.raiseCap, { maxOutputTokens });
    response.status(202).json(await readView(log, generationId, { withText: false }));
  };
}

/** Ends it as a cancel does: the call of the provider is stopped and the partial answer billed. */
export function stopGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { generationId, tenant } = await findOfTenant(dependencies, response, request.params.id);
    // A stream that runs learns it by its next append, as of a cancel.
    await dependencies.log.requestCancel(generationId);
    await signal(dependencies, workflowId(tenant, generationId), SIGNALS.stop);
    response.status(202).json(await readView(dependencies.log, generationId, { withText: false }));
  };
}

async function signal(
  { temporal }: ApiDependencies,
  id: string,
  name: string,
  ...args: readonly object[]
): Promise<void> {
  try {
    await temporal.workflow.getHandle(id).signal(name, ...args);
  } catch (error) {
    // A run that has ended takes no signal, and needs none.
    if (error instanceof WorkflowNotFoundError) return;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}

/** An administrator steers the generations of all users of the tenant. */
function findOfTenant(dependencies: ApiDependencies, response: Response, id: string): Promise<LogHead> {
  const caller = callerIn(response);
  return findGeneration(dependencies, { ...caller, scopes: [...caller.scopes, 'any-user'] }, id);
}
