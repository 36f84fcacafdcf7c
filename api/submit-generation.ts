/** Creates the log and starts the workflow. Both know the generation by the same id, so both can be repeated. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { BudgetOwner } from '../budget/ledger.ts';
import type { CacheMode } from '../contracts/cache-mode.ts';
import { textOfMessage } from '../contracts/content.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import type { EventBody } from '../contracts/events.ts';
import type {
  ContinuedText,
  GenerationInput,
  GenerationOrder,
  GenerationRequest,
} from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { WORKFLOW_TYPE, workflowId } from '../contracts/names.ts';
import { leastOutputTokens, worstSentTokens } from '../contracts/tokens.ts';
import type { LogHead } from '../streaming/event-log.ts';
import type { Caller } from './api-keys.ts';
import { userFor } from './authenticate.ts';
import { budgetExceeded } from './budget-exceeded.ts';
import type { RouteChoice } from './choose-route.ts';
import { composeInput } from './compose-input.ts';
import type { ApiDependencies } from './dependencies.ts';
import { SEARCH_KEYS } from './search-keys.ts';

/**
 * A workflow task holds the beginning of the stream (LIMITS.adoptStreamAfterMs); one that a dead worker holds is given
 * to another after this.
 */
const WORKFLOW_TASK_TIMEOUT = '4s';
const TEMPORAL_AGAIN_MS = 100;

/** All that a generation is made of, whether it was submitted or continues another. */
export interface PreparedGeneration extends Pick<GenerationRequest, 'priority' | 'deadlineMs'> {
  readonly generationId: string;
  readonly user: string;
  readonly route: string;
  readonly input: GenerationInput;
  readonly choice: Pick<RouteChoice, 'candidates' | 'plan'>;
  readonly cache: CacheMode;
  readonly cacheMaxAgeMs?: number;
  readonly requestHash: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The log, where this request came before. */
  readonly known: LogHead | null;
  /** What the format of another vendor keeps of the request beside the input. */
  readonly origin?: object | undefined;
}

export async function submitGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  request: GenerationRequest,
  idempotencyKey: string | undefined,
  origin?: object,
): Promise<{ readonly generationId: string }> {
  const { log } = dependencies;
  const user = userFor(caller, request.user);
  const route = request.route ?? 'default';
  const generationId = idFor(caller, idempotencyKey);
  const known = idempotencyKey === undefined ? null : await log.head(generationId);
  // What was composed for the first of them counts: a label may have moved since.
  const stored = known === null ? null : await log.readInput(generationId);
  const composition = { tenant: caller.tenant, user, generationId, route };
  const input = stored ?? (await composeInput(dependencies, composition, request));
  return startGeneration(dependencies, caller, {
    ...{ generationId, user, route, input, known, origin },
    choice: dependencies.routes.choose(request, input, generationId),
    cache: request.cache ?? 'on',
    ...(request.cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs: request.cacheMaxAgeMs }),
    requestHash: hash(JSON.stringify({ ...request, stream: undefined })),
    metadata: request.metadata ?? {},
    priority: request.priority,
    deadlineMs: request.deadlineMs,
  });
}

/** Refuses a spent budget, creates the log and starts the run; each of them once, however often it is called. */
export async function startGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  prepared: PreparedGeneration,
): Promise<{ readonly generationId: string }> {
  const { config, log } = dependencies;
  if (caller.onlyGeneration !== undefined) {
    throw new UnbrokenError('forbidden', 'A ticket for one generation begins no other.');
  }
  const { generationId, user, route, cache, requestHash, metadata, known, choice } = prepared;
  const { tenant } = caller;
  if (known?.erased === true) {
    throw new UnbrokenError('idempotency_conflict', 'What was made under this Idempotency-Key was deleted.');
  }
  if (known === null) {
    const needed = (countTokens: (text: string) => number) =>
      worstSentTokens(prepared.input, countTokens) + leastOutputTokens(prepared.input.maxOutputTokens);
    await refuseSpentBudget(dependencies, { ...caller, user }, needed);
  }
  const creation = await log.create({
    ...{ generationId, tenant, user, route, requestHash, metadata },
    input: prepared.input,
    origin: prepared.origin,
  });
  if (creation.requestHash !== requestHash) {
    throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another request.');
  }
  if (known === null || known.status === 'running') {
    // Another request under the same key may have created the log a moment ago: its input is the one that counts.
    const input = creation.created ? prepared.input : ((await log.readInput(generationId)) ?? prepared.input);
    if (input.continues !== undefined) {
      await log.appendOnce(generationId, 'continue', replayOf(input.continues));
    }
    const { generationMs } = config.limits;
    const order: GenerationOrder = {
      ...{ generationId, tenant, user, route, cache },
      ...{ team: caller.team, keyId: caller.keyId },
      ...(prepared.cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs: prepared.cacheMaxAgeMs }),
      candidates: choice.candidates,
      maxOutputTokens: input.maxOutputTokens,
      limitMs: generationMs,
      inputChars: input.messages.reduce((chars, message) => chars + textOfMessage(message).length, 0),
      routing: choice.plan,
      deadlineAtMs: Date.now() + Math.min(generationMs, prepared.deadlineMs ?? Number.POSITIVE_INFINITY),
      ...(input.capFrom === undefined ? {} : { capFrom: input.capFrom }),
      ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
      ...(input.continues === undefined ? {} : { continues: withoutText(input.continues) }),
    };
    await startWorkflow(dependencies, order, prepared.priority);
    dependencies.logger.info({ generationId, route }, 'generation accepted');
  }
  return { generationId };
}

function withoutText({ generationId, firstGenerationId }: ContinuedText): Omit<ContinuedText, 'text'> {
  return { generationId, firstGenerationId };
}

/** The former text as the beginning of this log: a reader gets one text. */
function replayOf({ generationId, text }: ContinuedText): readonly EventBody[] {
  // An append holds so many events, and the text has a limit of its own in the input.
  const chars = Math.max(4_096, Math.ceil(text.length / (LIMITS.eventsPerAppend - 2)));
  const parts = text.match(new RegExp(`[^]{1,${chars}}`, 'gu')) ?? [];
  return [
    { type: 'generation-continue', generationId, chars: text.length },
    ...parts.map((part) => ({ type: 'text-delta', text: part }) as const),
  ];
}

/** The same key gives the same id; the hash keeps what callers put into their keys out of ids and logs. */
export function idFor({ tenant, user, scopes }: Caller, idempotencyKey: string | undefined): string {
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

export function hash(text: string): string {
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
  const { prompt } = order;
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
        ...(prompt === undefined
          ? []
          : [{ key: SEARCH_KEYS.prompt, value: `${prompt.name}@${prompt.version}` }]),
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
