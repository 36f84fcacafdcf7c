/** Creates the log and starts the workflow. Both know the generation by the same id, so both can be repeated. */
import { createHash, randomBytes } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { type Message, textOfMessage } from '../contracts/content.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import type {
  Candidate,
  GenerationInput,
  GenerationOrder,
  GenerationRequest,
} from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { WORKFLOW_TYPE, workflowId } from '../contracts/names.ts';
import { boundInputTokens, leastOutputTokens } from '../contracts/tokens.ts';
import type { Caller } from './api-keys.ts';
import type { ApiDependencies } from './dependencies.ts';

/**
 * A workflow task holds the beginning of the stream (LIMITS.adoptStreamAfterMs); one that a dead worker holds is given
 * to another after this.
 */
const WORKFLOW_TASK_TIMEOUT = '4s';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const SEARCH_KEYS = {
  tenant: keyword('UnbrokenTenant'),
  user: keyword('UnbrokenUser'),
  provider: keyword('UnbrokenProvider'),
  model: keyword('UnbrokenModel'),
  status: keyword('UnbrokenStatus'),
};

export async function submitGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  request: GenerationRequest,
  idempotencyKey: string | undefined,
): Promise<{ readonly generationId: string }> {
  const { config, log } = dependencies;
  const user = request.user ?? caller.user;
  const route = request.route ?? 'default';
  const candidates = candidatesFor(dependencies, request, route);
  const messages: readonly Message[] =
    typeof request.input === 'string' ? [{ role: 'user', content: request.input }] : request.input;
  const maxOutputTokens = request.maxOutputTokens ?? config.limits.defaultMaxOutputTokens;
  const input = inputOf(request, messages, maxOutputTokens);
  const generationId = idFor(caller, idempotencyKey);
  const requestHash = hash(JSON.stringify({ ...request, stream: undefined }));
  const known = idempotencyKey === undefined ? null : await log.head(generationId);
  if (known === null) {
    const needed = (countTokens: (text: string) => number) =>
      boundInputTokens(input, countTokens) + leastOutputTokens(maxOutputTokens);
    await refuseSpentBudget(dependencies, { tenant: caller.tenant, user }, needed);
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
    await startWorkflow(dependencies, {
      generationId,
      tenant: caller.tenant,
      user,
      team: caller.team,
      keyId: caller.keyId,
      route,
      candidates,
      cache: request.cache ?? 'on',
      ...(request.cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs: request.cacheMaxAgeMs }),
      maxOutputTokens,
      limitMs: config.limits.generationMs,
      inputChars: messages.reduce((chars, message) => chars + textOfMessage(message).length, 0),
    });
  }
  return { generationId };
}

/** The part of the request that fixes the answer. */
function inputOf(
  { system, temperature, topP, stop, tools, toolChoice, output, reasoning }: GenerationRequest,
  messages: readonly Message[],
  maxOutputTokens: number,
): GenerationInput {
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

function candidatesFor(
  { config }: ApiDependencies,
  request: GenerationRequest,
  route: string,
): readonly Candidate[] {
  if (request.model !== undefined) {
    const slash = request.model.indexOf('/');
    const provider = request.model.slice(0, slash);
    const model = request.model.slice(slash + 1);
    if (slash < 1 || model === '' || !Object.hasOwn(config.providers, provider)) {
      const known = Object.keys(config.providers).join(', ');
      throw new UnbrokenError(
        'model_not_found',
        `model: expected provider/model; the providers are ${known}.`,
      );
    }
    return [{ provider, model }];
  }
  const candidates = Object.hasOwn(config.routes, route) ? config.routes[route] : undefined;
  if (candidates === undefined || candidates.length === 0) {
    throw new UnbrokenError('model_not_found', `The route "${route}" has no candidates here.`);
  }
  return candidates;
}

/** The same key gives the same id; the hash keeps what callers put into their keys out of ids and logs. */
function idFor({ tenant }: Caller, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return `gen_${randomBytes(16).toString('hex')}`;
  if (idempotencyKey.length === 0 || idempotencyKey.length > LIMITS.idempotencyKeyChars) {
    throw new UnbrokenError(
      'invalid_request',
      `Idempotency-Key: expected 1 to ${LIMITS.idempotencyKeyChars} characters.`,
    );
  }
  return `gen_${hash(`${tenant}\0${idempotencyKey}`).slice(0, 32)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Only a look: the workflow reserves. It spares a caller without budget the start of a run. */
async function refuseSpentBudget(
  { budget, countTokens }: ApiDependencies,
  owner: { readonly tenant: string; readonly user: string },
  needed: (countTokens: (text: string) => number) => number,
): Promise<void> {
  const { limitTokens, spentTokens, reservedTokens, resetsAtMs } = await budget.balance(owner);
  if (limitTokens === null) return;
  const remainingTokens = Math.max(0, limitTokens - spentTokens - reservedTokens);
  if (remainingTokens >= needed(countTokens)) return;
  const resets = new Date(resetsAtMs).toISOString();
  throw new UnbrokenError(
    'budget_exceeded',
    `The daily budget of ${limitTokens} tokens has ${remainingTokens} left; it resets at ${resets}.`,
    {
      retryAfterMs: Math.max(0, resetsAtMs - Date.now()),
      details: { limitTokens, remainingTokens, resetsAtMs },
    },
  );
}

async function startWorkflow({ temporal, config }: ApiDependencies, order: GenerationOrder): Promise<void> {
  const [first] = order.candidates;
  try {
    await temporal.workflow.start(WORKFLOW_TYPE, {
      workflowId: workflowId(order.tenant, order.generationId),
      taskQueue: config.temporal.taskQueue,
      args: [order],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `${order.user}: ${order.inputChars} characters by ${first?.provider}/${first?.model}`,
      priority: { fairnessKey: order.user.slice(0, 64) },
      typedSearchAttributes: new TypedSearchAttributes([
        { key: SEARCH_KEYS.tenant, value: order.tenant },
        { key: SEARCH_KEYS.user, value: order.user },
        { key: SEARCH_KEYS.status, value: 'running' },
        { key: SEARCH_KEYS.provider, value: first?.provider ?? '' },
        { key: SEARCH_KEYS.model, value: first?.model ?? '' },
      ]),
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer; send the request again.', {
      cause: error,
    });
  }
}
