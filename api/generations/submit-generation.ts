/** Submits a request: composes its input, chooses the models, and starts the generation. */
import { withoutStoring } from '../../contracts/cache-mode.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationInput, GenerationOrder, GenerationRequest } from '../../contracts/generation.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Caller } from '../access/api-keys.ts';
import { userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { PreparedGeneration } from './build-order.ts';
import { composeInput } from './compose-input.ts';
import { endLog } from './end-log.ts';
import { isUnstored } from './find-generation.ts';
import { type FittedContext, fitContext } from './fit-context.ts';
import { type ChosenId, generationIdFor, hashRequest } from './generation-id.ts';
import { recallReasoning } from './recall-reasoning.ts';
import {
  assertSameRequest,
  orderStart,
  type StartDependencies,
  type Submitted,
  startGeneration,
} from './start-generation.ts';

/** The turn of a generation in a stored conversation. */
export interface ReservedTurn {
  readonly conversation: string;
  /** How many messages of the input come from the conversation. */
  readonly messagesBefore: number;
  /** How long the log is kept: the conversation copies it later. */
  readonly keptMs: number;
  /** Called before the generation starts; repeated for the same id, it changes nothing. @throws conversation_locked */
  reserve(generationId: string): Promise<void>;
  /** Called when it was not started after all. */
  release(generationId: string): Promise<void>;
}

/** One of several answers to a request. Each asks the model itself, so none uses the cache. */
interface SubmittedChoice {
  readonly index: number;
  readonly count: number;
  /** The generation of the first choice; absent for that one. All are answered by the same models. */
  readonly firstId?: string;
}

interface Submission {
  readonly request: GenerationRequest;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
  readonly idempotencyKey: string | undefined;
  /** Chosen by the caller of this function; absent if it depends on the key alone. */
  readonly id?: ChosenId;
  /** What the format of another vendor stores of the request beside the input. */
  readonly origin?: object;
  /** Absent for a request with one answer. */
  readonly choice?: SubmittedChoice;
  readonly turn?: ReservedTurn | undefined;
  /** How long its log is kept after its end, if that is not the usual time. */
  readonly keptMs?: number;
  /** From how many tokens on its older turns are summarised first; null: near the end of the window. Absent: never. */
  readonly compactAt?: number | null | undefined;
}

type IdentityFields = 'generationId' | 'isUnique' | 'known' | 'user' | 'route' | 'requestHash' | 'input';
/** What identifies a submitted generation and what its log stores of it. */
interface Identity extends Pick<PreparedGeneration, IdentityFields> {
  readonly origin: object | undefined;
}

/** What submitting a generation needs. */
export type SubmitDependencies = StartDependencies &
  Pick<
    ApiDependencies,
    | 'callAnswers'
    | 'compactions'
    | 'flightMembers'
    | 'outputs'
    | 'promptStats'
    | 'prompts'
    | 'routes'
    | 'runs'
    | 'webhookEndpoints'
  >;

export async function submitGeneration(
  dependencies: SubmitDependencies,
  caller: Caller,
  submission: Submission,
): Promise<Submitted> {
  const { turn } = submission;
  const identity = await identify(dependencies, caller, submission);
  let fitted: FittedContext;
  try {
    fitted = await fitSubmission(dependencies, caller, submission, identity);
  } catch (error) {
    return joinWithoutRoute(dependencies, caller, identity, error);
  }
  const prepared = await prepare(dependencies, submission, { caller, identity, fitted });
  if (turn === undefined) return startGeneration(dependencies, caller, prepared);
  await turn.reserve(identity.generationId);
  try {
    return await startGeneration(dependencies, caller, prepared);
  } catch (error) {
    await turn.release(identity.generationId);
    throw error;
  }
}

interface OrderedSubmission {
  readonly request: GenerationRequest;
  /** In place of one in the request. */
  readonly webhook?: SealedWebhook;
  readonly generationId: string;
  /** How long the log is kept after its end. */
  readonly keptMs: number;
  /** As in a submission. */
  readonly origin?: object;
  readonly choice?: SubmittedChoice;
  readonly compactAt?: number | null | undefined;
}

/** What a generation that a workflow will start can cost: the most that one answer of any of its models can. */
interface OrderedStart {
  readonly order: GenerationOrder | null;
  readonly mostMicroUsd: number;
}

/**
 * Submits a generation that a workflow starts as its child. A repeated call with the same id changes nothing.
 * @param leftMicroUsd null: no limit.
 * @returns null if it could cost more than that. Its order is null if it has ended.
 */
export async function orderGeneration(
  dependencies: SubmitDependencies,
  caller: Caller,
  { generationId, ...ordered }: OrderedSubmission,
  leftMicroUsd: number | null,
): Promise<OrderedStart | null> {
  const submission = { ...ordered, idempotencyKey: undefined, id: { generationId, isUnique: false } };
  // The id stands for the request, whose deadline is another one each time.
  const requestHash = hashRequest(generationId);
  const identity = { ...(await identify(dependencies, caller, submission)), requestHash };
  const fitted = await fitSubmission(dependencies, caller, submission, identity);
  const tried = fitted.chosen.considered.filter(({ place }) => place !== null);
  const each = Math.max(0, ...tried.map(({ maxCostMicroUsd }) => maxCostMicroUsd ?? 0));
  const mostMicroUsd = each * mostAnswers(identity.input);
  // One that was submitted before is paid for, or will be.
  if (identity.known === null && leftMicroUsd !== null && mostMicroUsd > leftMicroUsd) return null;
  const prepared = await prepare(dependencies, submission, { caller, identity, fitted });
  return { order: await orderStart(dependencies, caller, prepared), mostMicroUsd };
}

/**
 * How many answers of one generation are paid at most, where its answer must fit a schema. Each further one reads those
 * before it, which costs no more than writing them.
 */
export function mostAnswers({ outputCheck }: Pick<GenerationInput, 'outputCheck'>): number {
  const attempts = outputCheck?.attempts ?? 1;
  return (attempts * (attempts + 1)) / 2;
}

function fitSubmission(
  dependencies: SubmitDependencies,
  caller: Caller,
  { request, origin, choice, compactAt }: Submission,
  identity: Identity,
): Promise<FittedContext> {
  return fitContext(dependencies, {
    request,
    input: identity.input,
    isStored: identity.known !== null,
    asker: { tenant: caller.tenant, seed: choice?.firstId ?? identity.generationId },
    settings: { compactAt, isChecked: isOfResponses(origin) },
  });
}

interface ToPrepare {
  readonly caller: Caller;
  readonly identity: Identity;
  readonly fitted: FittedContext;
}

async function prepare(
  dependencies: SubmitDependencies,
  { request, origin, turn, choice, keptMs = turn?.keptMs }: Submission,
  { caller, identity, fitted }: ToPrepare,
): Promise<PreparedGeneration> {
  const { chosen, summary, sent } = fitted;
  const owner = { tenant: caller.tenant, user: identity.user };
  const input =
    identity.known === null
      ? await recallReasoning(dependencies, owner, fitted.input, chosen.candidates)
      : fitted.input;
  const cache = usesNoCache(request, choice) ? 'off' : (request.cache ?? 'on');
  return {
    ...identity,
    input,
    sent,
    chosen,
    ...(summary === undefined ? {} : { summary }),
    cache: isUnstored({ origin }) ? withoutStoring(cache) : cache,
    ...(request.cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs: request.cacheMaxAgeMs }),
    ...(choice?.index === 0 ? { answers: choice.count } : {}),
    metadata: request.metadata ?? {},
    priority: request.priority,
    deadlineMs: request.deadlineMs,
    keptMs,
  };
}

/** OpenAI's Responses refuse an input that is too large, or shorten it; other formats leave that to the vendor. */
function isOfResponses(origin: object | undefined): boolean {
  return origin !== undefined && 'format' in origin && origin.format === 'openai-responses';
}

/** A stored answer has no log probabilities, and all choices would get the same one. */
function usesNoCache({ logprobs }: GenerationRequest, choice: SubmittedChoice | undefined): boolean {
  return logprobs !== undefined || choice !== undefined;
}

async function identify(
  dependencies: SubmitDependencies,
  caller: Caller,
  { request, webhook, idempotencyKey, origin, id, turn, choice }: Submission,
): Promise<Identity> {
  const { log } = dependencies;
  const user = userFor(caller, request.user);
  const route = request.route ?? 'default';
  const { generationId, isUnique } = id ?? {
    generationId: generationIdFor(caller, idempotencyKey),
    isUnique: idempotencyKey === undefined,
  };
  const known = isUnique ? null : await log.known(generationId);
  // The input composed for the first request counts: a prompt label may have moved since.
  const storedInput = known === null ? null : await log.readInput(generationId);
  const composition = { tenant: caller.tenant, user, generationId, route };
  const composed = storedInput ?? (await composeInput(dependencies, composition, request));
  const input = webhook === undefined ? composed : { ...composed, webhook };
  if (storedInput === null) await refuseSchema(dependencies, caller, input);
  const choices = choice === undefined ? {} : { choices: choice.count };
  const requestHash = hashRequest({ ...withoutHistory(request, turn), stream: undefined, ...choices });
  return { generationId, isUnique, known, user, route, origin, requestHash, input };
}

/** A schema that no answer can be checked against is refused before anything is spent. @throws invalid_request */
async function refuseSchema(
  { outputs }: Pick<ApiDependencies, 'outputs'>,
  { tenant }: Pick<Caller, 'tenant'>,
  { output, outputCheck }: Pick<GenerationInput, 'output' | 'outputCheck'>,
): Promise<void> {
  if (output?.schema === undefined || outputCheck === undefined) return;
  const fault = await outputs.faultOfSchema(tenant, output.schema);
  if (fault === null) return;
  const message = `output.schema: ${fault}. An answer to it cannot be checked; outputCheck "off" sends it as it is.`;
  throw new UnbrokenError('invalid_request', message, { details: { param: 'output.schema' } });
}

/**
 * The request as its sender wrote it: when a turn of a conversation is sent again, the conversation may have more
 * messages before it.
 */
export function withoutHistory(request: GenerationRequest, turn: ReservedTurn | undefined): object {
  if (turn === undefined || !Array.isArray(request.input)) return request;
  const { conversation, messagesBefore } = turn;
  return { ...request, conversation, input: request.input.slice(messagesBefore) };
}

/**
 * The model may have left the config since an earlier request with the same key: the generation that this request
 * started is joined all the same. Rethrows `routeError` when there is none.
 */
async function joinWithoutRoute(
  { log, flightMembers, runs }: SubmitDependencies,
  caller: Caller,
  { known, ...identity }: Identity,
  routeError: unknown,
): Promise<Submitted> {
  const { generationId, requestHash } = identity;
  if (known === null || !(await needsNoStart(runs, caller, known))) throw routeError;
  const existing = await log.create({ ...known, ...identity });
  if (existing.created) {
    // The earlier log has just expired, and no run can write the one that was created now.
    const message = 'No model of this request is configured any more.';
    await endLog({ log, flightMembers }, generationId, { code: 'model_not_found', message });
    throw routeError;
  }
  assertSameRequest(existing, requestHash);
  return { generationId, started: Promise.resolve() };
}

/** Whether the generation of an existing log has ended or has a run. */
async function needsNoStart(runs: ApiDependencies['runs'], caller: Caller, known: LogHead): Promise<boolean> {
  return !known.erased && (known.status !== 'running' || (await runs.has(caller, known.generationId)));
}
