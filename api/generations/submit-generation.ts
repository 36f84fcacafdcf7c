/** Creates the log and starts the workflow. Both know the generation by the same id, so both can be repeated. */
import { createHash, randomBytes } from 'node:crypto';
import type { BudgetOwner } from '../../contracts/budgets.ts';
import { type CacheMode, withoutStoring } from '../../contracts/cache-mode.ts';
import { textOfMessage } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { EventBody } from '../../contracts/events.ts';
import type {
  ContinuedText,
  GenerationInput,
  GenerationOrder,
  GenerationRequest,
} from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { leastOutputTokens, worstSentTokens } from '../../contracts/tokens.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Caller } from '../access/api-keys.ts';
import { userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { budgetExceeded } from './budget-exceeded.ts';
import type { RouteChoice } from './choose-route.ts';
import { composeInput } from './compose-input.ts';
import { endLog } from './end-log.ts';
import { isUnstored } from './find-generation.ts';
import { startRun } from './start-run.ts';

/** All that a generation is made of, whether it was submitted or continues another. */
export interface PreparedGeneration extends Pick<GenerationRequest, 'priority' | 'deadlineMs'> {
  readonly generationId: string;
  /** Whether the id was made for this request alone, and is not made from a key. */
  readonly isUnique: boolean;
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

/** A generation whose log is there. */
export interface Submitted {
  readonly generationId: string;
  /** Resolves when its run has been started; until then nobody may be told that it was accepted. */
  readonly started: Promise<void>;
}

export async function submitGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  request: GenerationRequest,
  idempotencyKey: string | undefined,
  origin?: object,
): Promise<Submitted> {
  const { log } = dependencies;
  const user = userFor(caller, request.user);
  const route = request.route ?? 'default';
  const generationId = idFor(caller, idempotencyKey);
  const known = idempotencyKey === undefined ? null : await log.head(generationId);
  // What was composed for the first of them counts: a label may have moved since.
  const stored = known === null ? null : await log.readInput(generationId);
  const composition = { tenant: caller.tenant, user, generationId, route };
  const input = stored ?? (await composeInput(dependencies, composition, request));
  const asked = { user, route, origin, requestHash: hash(JSON.stringify({ ...request, stream: undefined })) };
  let choice: RouteChoice;
  try {
    choice = dependencies.routes.choose(request, input, { tenant: caller.tenant, seed: generationId });
  } catch (error) {
    // The model may have left the config since; what was begun under the key is there all the same.
    if (known === null || !(await hasBegun(dependencies, caller, known))) throw error;
    const existing = await log.create({ ...known, ...asked, input });
    if (existing.created) {
      // It has just expired, and this log is one that no run can write.
      const message = 'No model of this request is configured any more.';
      await endLog(dependencies, generationId, { code: 'model_not_found', message });
      throw error;
    }
    assertSameRequest(existing, asked.requestHash);
    return { generationId, started: Promise.resolve() };
  }
  return startGeneration(dependencies, caller, {
    generationId,
    input,
    known,
    choice,
    ...asked,
    isUnique: idempotencyKey === undefined,
    cache: isUnstored({ origin }) ? withoutStoring(request.cache ?? 'on') : (request.cache ?? 'on'),
    ...(request.cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs: request.cacheMaxAgeMs }),
    metadata: request.metadata ?? {},
    priority: request.priority,
    deadlineMs: request.deadlineMs,
  });
}

/** Whether the generation of a log that is there needs no start: it has ended, or its run is there. */
async function hasBegun({ runs }: ApiDependencies, caller: Caller, known: LogHead): Promise<boolean> {
  return !known.erased && (known.status !== 'running' || (await runs.has(caller, known.generationId)));
}

function assertSameRequest(existing: { readonly requestHash: string }, requestHash: string): void {
  if (existing.requestHash !== requestHash) {
    throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another request.');
  }
}

/** Refuses a spent budget, creates the log and starts the run; each of them once, however often it is called. */
export async function startGeneration(
  dependencies: ApiDependencies,
  caller: Caller,
  prepared: PreparedGeneration,
): Promise<Submitted> {
  const { log, stored } = dependencies;
  if (caller.onlyReads === true) {
    throw new UnbrokenError('forbidden', 'A ticket opens streams; a generation is begun with a key.');
  }
  const { generationId, user, route, requestHash, metadata, known } = prepared;
  const { tenant } = caller;
  if (known?.erased === true) {
    throw new UnbrokenError('idempotency_conflict', 'What was made under this Idempotency-Key was deleted.');
  }
  const inputJson = JSON.stringify(prepared.input);
  const inputBytes = Buffer.byteLength(inputJson);
  if (inputBytes > LIMITS.requestBodyBytes) {
    throw new UnbrokenError(
      'body_too_large',
      `The input, with its prompt and the conversation before it, has ${inputBytes} bytes of at most ${LIMITS.requestBodyBytes}.`,
    );
  }
  if (known === null) {
    await refuseSpentBudget(dependencies, { ...caller, user }, prepared.input);
  }
  const beside = Buffer.byteLength(JSON.stringify([metadata, prepared.origin ?? null]));
  const counted = known === null ? await stored.takeInput(tenant, inputBytes + beside) : undefined;
  const creation = {
    generationId,
    tenant,
    user,
    route,
    requestHash,
    metadata,
    inputJson,
    counted,
    input: prepared.input,
    origin: prepared.origin,
  };
  if (prepared.isUnique) {
    // One round trip: Redis creates the log before it hands the run over.
    const creating = log.create(creation);
    const started = start(dependencies, caller, prepared, { input: prepared.input, isNew: true, creating });
    await creating;
    return { generationId, started };
  }
  const created = await log.create(creation);
  if (!created.created && counted !== undefined) await stored.dropInput(tenant, counted);
  assertSameRequest(created, requestHash);
  const isNew = created.created;
  // One that was past its retention when the log was to be created says nothing of the log that is there now.
  const isKnown = known?.createdAt === created.createdAt;
  if (isKnown && known.status !== 'running') return { generationId, started: Promise.resolve() };
  // Another request under the same key may have created the log a moment ago: its input is the one that counts.
  const input = isNew ? prepared.input : ((await log.readInput(generationId)) ?? prepared.input);
  if (input.continues !== undefined) {
    await log.appendOnce(generationId, 'continue', replayOf(input.continues));
  }
  const { createdAt } = created;
  return { generationId, started: start(dependencies, caller, prepared, { input, isNew, createdAt }) };
}

interface LogToFill {
  readonly input: GenerationInput;
  readonly isNew: boolean;
  /** Absent where it is being created, under an id that is given once. */
  readonly createdAt?: number;
  readonly creating?: Promise<unknown>;
}

/** Resolves when the run is started. Nobody need wait for it. */
function start(
  dependencies: ApiDependencies,
  caller: Caller,
  prepared: PreparedGeneration,
  log: LogToFill,
): Promise<void> {
  const { generationId, route, priority: priorityKey } = prepared;
  const { isNew, creating: logCreated = Promise.resolve() } = log;
  const order = orderOf(dependencies, caller, prepared, log);
  const input = isNew && log.input.continues === undefined ? log.input : undefined;
  const started = startRun(dependencies, { order, priorityKey, isNew, input, logCreated }).then(() =>
    dependencies.logger.info({ generationId, route }, 'generation accepted'),
  );
  // Whoever awaits it gets the error.
  started.catch(() => undefined);
  return started;
}

function orderOf(
  { config }: ApiDependencies,
  { tenant, team, keyId }: Caller,
  { generationId, user, route, cache, cacheMaxAgeMs, choice, deadlineMs }: PreparedGeneration,
  { input, createdAt }: LogToFill,
): GenerationOrder {
  const { generationMs } = config.limits;
  return {
    generationId,
    tenant,
    user,
    team,
    keyId,
    route,
    cache,
    ...(cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs }),
    ...(createdAt === undefined ? {} : { logCreatedAtMs: createdAt }),
    candidates: choice.candidates,
    maxOutputTokens: input.maxOutputTokens,
    limitMs: generationMs,
    inputChars: input.messages.reduce((chars, message) => chars + textOfMessage(message).length, 0),
    routing: choice.plan,
    deadlineAtMs: Date.now() + Math.min(generationMs, deadlineMs ?? Number.POSITIVE_INFINITY),
    ...(input.capFrom === undefined ? {} : { capFrom: input.capFrom }),
    ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
    ...(input.continues === undefined ? {} : { continues: withoutText(input.continues) }),
  };
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
  { budget, countTexts }: ApiDependencies,
  owner: BudgetOwner,
  input: GenerationInput,
): Promise<void> {
  const needed = async () =>
    (await worstSentTokens(input, countTexts)) + leastOutputTokens(input.maxOutputTokens);
  const refused = await budget.look(owner, needed);
  if (refused !== null) throw budgetExceeded(refused);
}
