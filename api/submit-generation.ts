/** Creates the log and starts the workflow. Both know the generation by the same id, so both can be repeated. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { BudgetOwner } from '../budget/ledger.ts';
import type { Config } from '../config/load-config.ts';
import { type Message, textOfMessage } from '../contracts/content.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import type { GenerationInput, GenerationOrder, GenerationRequest } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { WORKFLOW_TYPE, workflowId } from '../contracts/names.ts';
import { leastOutputTokens, worstInputTokens } from '../contracts/tokens.ts';
import type { Caller } from './api-keys.ts';
import { userFor } from './authenticate.ts';
import { budgetExceeded } from './budget-exceeded.ts';
import type { ApiDependencies } from './dependencies.ts';
import { SEARCH_KEYS } from './search-keys.ts';

/**
 * A workflow task holds the beginning of the stream (LIMITS.adoptStreamAfterMs); one that a dead worker holds is given
 * to another after this.
 */
const WORKFLOW_TASK_TIMEOUT = '4s';
const TEMPORAL_AGAIN_MS = 100;

export async function submitGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  request: GenerationRequest,
  idempotencyKey: string | undefined,
): Promise<{ readonly generationId: string }> {
  const { config, log } = dependencies;
  if (caller.onlyGeneration !== undefined) {
    throw new UnbrokenError('forbidden', 'A ticket for one generation begins no other.');
  }
  const user = userFor(caller, request.user);
  const route = request.route ?? 'default';
  const input = inputFor(config, request);
  const { messages, maxOutputTokens } = input;
  const generationId = idFor(caller, idempotencyKey);
  const { candidates, plan } = dependencies.routes.choose(request, input, generationId);
  const requestHash = hash(JSON.stringify({ ...request, stream: undefined }));
  const known = idempotencyKey === undefined ? null : await log.head(generationId);
  if (known === null) {
    const needed = (countTokens: (text: string) => number) =>
      worstInputTokens(input, countTokens) + leastOutputTokens(maxOutputTokens);
    await refuseSpentBudget(dependencies, { ...caller, user }, needed);
  }
  const creation = await log.create({
    generationId,
    tenant: caller.tenant,
    user,
    route,
    requestHash,
    metadata: request.metadata ?? {},
    input,
  });
  if (creation.requestHash !== requestHash) {
    throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another request.');
  }
  if (known === null || known.status === 'running') {
    const order: GenerationOrder = {
      generationId,
      tenant: caller.tenant,
      user,
      team: caller.team,
      keyId: caller.keyId,
      route,
      candidates,
      cache: request.cache ?? 'on',
      maxOutputTokens,
      limitMs: config.limits.generationMs,
      inputChars: messages.reduce((chars, message) => chars + textOfMessage(message).length, 0),
      routing: plan,
      deadlineAtMs:
        Date.now() + Math.min(config.limits.generationMs, request.deadlineMs ?? Number.POSITIVE_INFINITY),
    };
    await startWorkflow(dependencies, order, request.priority);
  }
  return { generationId };
}

/** The part of the request that fixes the answer. */
export function inputFor({ limits }: Pick<Config, 'limits'>, request: GenerationRequest): GenerationInput {
  const { system, temperature, topP, stop, tools, toolChoice, output, reasoning } = request;
  const messages: readonly Message[] =
    typeof request.input === 'string' ? [{ role: 'user', content: request.input }] : request.input;
  const maxOutputTokens = request.maxOutputTokens ?? limits.defaultMaxOutputTokens;
  return {
    messages,
    maxOutputTokens,
    ...(system === undefined ? {} : { system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop === undefined ? {} : { stop }),
    ...(tools === undefined ? {} : { tools }),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(output === undefined ? {} : { output }),
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

/** The same key gives the same id; the hash keeps what callers put into their keys out of ids and logs. */
function idFor({ tenant, user, scopes }: Caller, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return `gen_${randomBytes(16).toString('hex')}`;
  if (idempotencyKey.length === 0 || idempotencyKey.length > LIMITS.idempotencyKeyChars) {
    throw new UnbrokenError(
      'invalid_request',
      `Idempotency-Key: expected 1 to ${LIMITS.idempotencyKeyChars} characters.`,
    );
  }
  // Keys of one user must not meet what another user began.
  const owner = scopes.includes('any-user') ? tenant : `${tenant}\0${user}`;
  return `gen_${hash(`${owner}\0${idempotencyKey}`).slice(0, 32)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Only a look: the workflow reserves. It spares a caller without budget the start of a run. */
async function refuseSpentBudget(
  { budget, countTokens }: ApiDependencies,
  owner: BudgetOwner,
  needed: (countTokens: (text: string) => number) => number,
): Promise<void> {
  const refused = await budget.look(owner, () => needed(countTokens));
  if (refused !== null) throw budgetExceeded(refused);
}

/** Temporal shares its queues out by this key of 64 bytes at most: by the user of a tenant. */
function fairnessKey({ tenant, user }: GenerationOrder): string {
  const name = `${tenant}/${user}`;
  return Buffer.byteLength(name) <= 64 ? name : hash(name);
}

async function startWorkflow(
  { temporal, config }: ApiDependencies,
  order: GenerationOrder,
  priorityKey: number | undefined,
): Promise<void> {
  const [first] = order.candidates;
  const start = async () => {
    await temporal.workflow.start(WORKFLOW_TYPE, {
      workflowId: workflowId(order.tenant, order.generationId),
      taskQueue: config.temporal.taskQueue,
      args: [order],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `${order.user}: ${order.inputChars} characters by ${first?.provider}/${first?.model}`,
      priority: {
        ...(priorityKey === undefined ? {} : { priorityKey }),
        fairnessKey: fairnessKey(order),
      },
      typedSearchAttributes: new TypedSearchAttributes([
        { key: SEARCH_KEYS.tenant, value: order.tenant },
        { key: SEARCH_KEYS.user, value: order.user },
        { key: SEARCH_KEYS.status, value: 'running' },
        { key: SEARCH_KEYS.provider, value: first?.provider ?? '' },
        { key: SEARCH_KEYS.model, value: first?.model ?? '' },
      ]),
    });
  };
  const deadline = Date.now() + config.submit.waitForTemporalMs;
  for (;;) {
    try {
      // A server that is stopped answers nothing at all: without a limit the caller would wait for ever.
      return await temporal.connection.withDeadline(deadline, start);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      if (Date.now() + TEMPORAL_AGAIN_MS >= deadline) {
        const message = 'Temporal does not answer; send the request again.';
        throw new UnbrokenError('service_unavailable', message, { cause: error });
      }
      await sleep(TEMPORAL_AGAIN_MS);
    }
  }
}
