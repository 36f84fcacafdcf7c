/** Builds the order of a generation, which tells its workflow all but the input: the log holds the input. */
import type { CacheMode } from '../../contracts/cache-mode.ts';
import { textOfMessage } from '../../contracts/content.ts';
import type {
  ContinuedText,
  GenerationInput,
  GenerationOrder,
  GenerationRequest,
} from '../../contracts/generation.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { Caller } from '../access/api-keys.ts';
import type { RouteChoice } from './choose-route.ts';
import type { SummaryRun } from './fit-context.ts';

/** All that a generation is started from, whether it was submitted or continues another. */
export interface PreparedGeneration extends Pick<GenerationRequest, 'priority' | 'deadlineMs'> {
  readonly generationId: string;
  /** Whether the id is random, so that no earlier request can have it. */
  readonly isUnique: boolean;
  readonly user: string;
  readonly route: string;
  readonly input: GenerationInput;
  /** As a model reads it, if that is something else. */
  readonly sent?: GenerationInput;
  readonly chosen: Pick<RouteChoice, 'candidates' | 'plan' | 'promptCacheKey'>;
  /** The generation that summarises its older turns first. */
  readonly summary?: SummaryRun;
  readonly cache: CacheMode;
  /** Answers that start together with this one, itself included: the budget must hold all. Absent: this one alone. */
  readonly answers?: number;
  readonly cacheMaxAgeMs?: number;
  readonly requestHash: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The log that an earlier request with the same key has created. */
  readonly known: LogHead | null;
  /** How long the log is kept after its end, in place of the usual retention. */
  readonly keptMs?: number | undefined;
  /** What the format of another vendor stores of the request beside the input. */
  readonly origin?: object | undefined;
}

interface OrderPlan {
  readonly caller: Caller;
  readonly prepared: PreparedGeneration;
  /** The input in the log, which may be that of an earlier request with the same key. */
  readonly input: GenerationInput;
  /** Absent for a log under a unique id, which no other log can have. */
  readonly logCreatedAtMs?: number | undefined;
  /** The time limit of a generation. */
  readonly limitMs: number;
}

export function buildOrder({ caller, prepared, input, logCreatedAtMs, limitMs }: OrderPlan): GenerationOrder {
  const { generationId, user, route, cache, cacheMaxAgeMs, chosen, deadlineMs } = prepared;
  return {
    generationId,
    tenant: caller.tenant,
    user,
    team: caller.team,
    keyId: caller.keyId,
    route,
    cache,
    ...(cacheMaxAgeMs === undefined ? {} : { cacheMaxAgeMs }),
    ...(logCreatedAtMs === undefined ? {} : { logCreatedAtMs }),
    candidates: chosen.candidates,
    maxOutputTokens: input.maxOutputTokens,
    limitMs,
    inputChars: input.messages.reduce((chars, message) => chars + textOfMessage(message).length, 0),
    routing: chosen.plan,
    deadlineAtMs: Date.now() + Math.min(limitMs, deadlineMs ?? Number.POSITIVE_INFINITY),
    ...(chosen.promptCacheKey === undefined ? {} : { promptCacheKey: chosen.promptCacheKey }),
    ...(input.capFrom === undefined ? {} : { capFrom: input.capFrom }),
    ...(input.webhook === undefined ? {} : { hasWebhook: true as const }),
    ...(input.prompt === undefined ? {} : { prompt: input.prompt }),
    ...(input.continues === undefined ? {} : { continues: withoutText(input.continues) }),
  };
}

function withoutText({ generationId, firstGenerationId }: ContinuedText): Omit<ContinuedText, 'text'> {
  return { generationId, firstGenerationId };
}
