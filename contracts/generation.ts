/** A generation as a caller requests it, as the workflow receives it, and as the API shows it. */
import { z } from 'zod';
import { type CacheMode, cacheModes } from './cache-mode.ts';
import type { PlannedCompaction } from './compaction.ts';
import { type CompressionTarget, compressionSchema } from './compression.ts';
import {
  type Message,
  messageSchema,
  type NativeRequest,
  nativeRequestSchema,
  type OutputFormat,
  outputSchema,
  type ToolChoice,
  type Tools,
  toolChoiceSchema,
  toolsSchema,
} from './content.ts';
import type { WholeNumber } from './json.ts';
import { limitedRecord } from './limited-record.ts';
import { LIMITS } from './limits.ts';
import type { Usage } from './money.ts';
import { type OutputCheck, outputCheckSchema } from './output-check.ts';
import { type PromptCaching, promptCachingModes } from './prompt-caching.ts';
import { type PromptUse, promptReferenceSchema } from './prompts.ts';
import { seedSchema } from './seed.ts';
import { logprobsSchema } from './token-logprobs.ts';
import { requestWebhookSchema, type SealedWebhook } from './webhooks.ts';

export type { Message } from './content.ts';

/** A vendor that lacks one gets the nearest that it has. */
export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type ReasoningEffort = (typeof reasoningEfforts)[number];

/** A kind of task; a route may have models for it. */
export const taskSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a short name, such as simple, complex or code');

/** It becomes part of headers, logs, circuit ids and ledger entries, none of which takes every character. */
export const modelNameSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'expected up to 200 printable ASCII characters without spaces')
  // SDKs put the name into a path as it is: with these, a call would go elsewhere on the vendor's server, with its key.
  .refine(
    (name) => !/[?#\\]/.test(name) && !/(?:^|\/|%2f)(?:\.|%2e){1,2}(?:\/|%2f|$)/i.test(name),
    'expected a name without "?", "#", "\\" and "..", which change the address of a call',
  );

export const metadataSchema = limitedRecord(
  z.string().min(1).max(64),
  z.string().max(512),
  LIMITS.metadataKeys,
);

export const verbosities = ['low', 'medium', 'high'] as const;

const NO_MESSAGE = 'expected at least one message that is not empty';

export const generationRequestSchema = z
  .strictObject({
    input: z
      .union([z.string().min(1), z.array(messageSchema).min(1, NO_MESSAGE).max(LIMITS.messagesPerRequest)])
      .optional()
      .describe(
        'The user text, or the whole conversation. If its last message is from the assistant, the answer continues ' +
          'it where the model can. Optional where the prompt has messages, which come first.',
      ),
    prompt: promptReferenceSchema
      .optional()
      .describe('A named prompt; its version brings system and messages.'),
    compression: compressionSchema.optional(),
    system: z.string().min(1).optional(),
    model: modelNameSchema
      .optional()
      .describe('provider/model, such as openai/gpt-4o-mini. If absent, the route decides.'),
    route: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('A route of unbroken.config.yaml; "default" if absent.'),
    maxOutputTokens: z.int().min(1).max(LIMITS.maxOutputTokens).optional(),
    temperature: z.number().min(0).max(2).optional(),
    topP: z.number().min(0).max(1).optional(),
    topK: z.int().nonnegative().optional(),
    seed: seedSchema.optional().describe('Up to 64 bits, where the vendor takes them; every digit is kept.'),
    logprobs: logprobsSchema.optional(),
    frequencyPenalty: z.number().min(-2).max(2).optional(),
    presencePenalty: z.number().min(-2).max(2).optional(),
    verbosity: z.enum(verbosities).optional(),
    stop: z.array(z.string().min(1).max(1_024)).min(1).max(LIMITS.stopSequences).optional(),
    tools: toolsSchema.optional(),
    toolChoice: toolChoiceSchema.optional(),
    parallelToolCalls: z.boolean().optional().describe('false: at most one tool call in an answer.'),
    output: outputSchema.optional().describe('The answer is JSON that fits this schema.'),
    outputCheck: outputCheckSchema.optional(),
    native: nativeRequestSchema
      .optional()
      .describe(
        'Fields of one format that reach its providers as they are, and that no other provider takes.',
      ),
    reasoning: z
      .strictObject({
        effort: z.enum(reasoningEfforts),
        thinks: z
          .boolean()
          .optional()
          .describe('false: the effort alone, for a model that takes one without thinking.'),
      })
      .optional()
      .describe('How much a reasoning model may think.'),
    user: z
      .string()
      .regex(/^[A-Za-z0-9_.@:-]{1,128}$/)
      .optional()
      .describe('Your end user, whose budget is debited. Defaults to the user of the API key.'),
    cache: z
      .enum(cacheModes)
      .optional()
      .describe(
        'on (the default): a stored answer may be used, and this one is stored; read: used only; write: stored only; ' +
          'refresh: stored in place of what would have been used; off: neither.',
      ),
    cacheMaxAgeMs: z
      .int()
      .nonnegative()
      .optional()
      .describe('Maximum age of a stored answer; the route may set less.'),
    promptCaching: z
      .enum(promptCachingModes)
      .optional()
      .describe(
        'How long a vendor that lets us choose should keep the prompt for the next call; off: nothing is added to ' +
          'what the request says. If absent, the route decides.',
      ),
    metadata: metadataSchema.optional(),
    webhook: requestWebhookSchema.optional().describe('Notified when the generation has ended.'),
    stream: z.boolean().optional().describe('true: the response is the event stream (SSE) at once.'),
    task: taskSchema
      .optional()
      .describe(
        'What kind of task this is, such as simple, complex or code; else it is guessed from the input.',
      ),
    priority: z
      .int()
      .min(1)
      .max(5)
      .optional()
      .describe('Order among generations that wait: 1 is first, 5 is last, 3 if absent.'),
    deadlineMs: z
      .int()
      .min(LIMITS.minDeadlineMs)
      .max(LIMITS.maxDeadlineMs)
      .optional()
      .describe(
        'How long the answer is of use to you, from now; after that the generation ends with an error.',
      ),
  })
  .refine(({ input, prompt }) => input !== undefined || prompt !== undefined, {
    path: ['input'],
    message: 'expected a text or messages, or a prompt',
  });
export type GenerationRequest = z.infer<typeof generationRequestSchema>;

/** Continues an answer that was cut at its length limit. */
export const continueRequestSchema = z.strictObject({
  maxOutputTokens: z
    .int()
    .min(1)
    .max(LIMITS.maxOutputTokens)
    .optional()
    .describe('For the new part alone; if absent, the cap of the continued generation.'),
  model: modelNameSchema.optional().describe('If absent, the model that wrote the text so far.'),
  stream: z.boolean().optional().describe('true: the response is the event stream (SSE) at once.'),
});
export type ContinueRequest = z.infer<typeof continueRequestSchema>;

/** The part of a request that determines the answer. Kept in Redis (claim check), never in workflow history. */
export interface GenerationInput {
  readonly system?: string;
  readonly messages: readonly Message[];
  readonly maxOutputTokens: number;
  readonly capFrom?: OutputCapSource;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: WholeNumber;
  /** How many alternatives of each token to report, with their log probabilities and its own. */
  readonly logprobs?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly verbosity?: (typeof verbosities)[number];
  readonly stop?: readonly string[];
  readonly tools?: Tools;
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly output?: OutputFormat;
  /** Absent: the answer to `output` is not checked, as in a generation that older code began. */
  readonly outputCheck?: OutputCheck;
  readonly native?: NativeRequest;
  readonly reasoning?: { readonly effort: ReasoningEffort; readonly thinks?: boolean | undefined };
  readonly prompt?: PromptUse;
  readonly compression?: CompressionTarget;
  /** Absent: `5m`. */
  readonly promptCaching?: PromptCaching;
  readonly continues?: ContinuedText;
  /** How many messages are left out from the beginning, because the window of the model is too small for them. */
  readonly omittedMessages?: number;
  readonly compaction?: PlannedCompaction;
  readonly webhook?: SealedWebhook;
}

/** The earlier answer that a generation continues. */
export interface ContinuedText {
  readonly generationId: string;
  /** The first generation of the text; the same as `generationId` unless that was a continuation itself. */
  readonly firstGenerationId: string;
  /** All of the text so far. */
  readonly text: string;
}

/** Tokens of the context before and after it was shortened. */
export interface CompressedTokens {
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

/** What set the output cap of a generation. */
export type OutputCapSource = 'request' | 'prompt' | 'route' | 'learnt' | 'default';

/** One model that may answer. `provider` is a name in the config's `providers`. */
export interface Candidate {
  readonly provider: string;
  readonly model: string;
}

/** The argument of the workflow: ids and small facts, no text. */
export interface GenerationOrder {
  readonly generationId: string;
  readonly tenant: string;
  readonly user: string;
  /** Debited besides the user: the team of the API key, and the key itself. */
  readonly team: string | null;
  readonly keyId: string;
  readonly route: string;
  readonly candidates: readonly Candidate[];
  readonly cache: CacheMode;
  /** Maximum age of a stored answer; absent: the route's. */
  readonly cacheMaxAgeMs?: number;
  readonly maxOutputTokens: number;
  /** Limit of one candidate, all its attempts together. */
  readonly limitMs: number;
  /** Size of the input in characters, for the summary in the Temporal UI. */
  readonly inputChars: number;
  /** Absent in runs that were started before there were prompts. */
  readonly capFrom?: OutputCapSource;
  readonly prompt?: PromptUse;
  readonly continues?: Omit<ContinuedText, 'text'>;
  /** The generation that summarises the older turns of the conversation, before this one begins. */
  readonly compaction?: GenerationOrder;
  /** What compression left of the context; known only once the generation has begun. */
  readonly compressed?: CompressedTokens;
  /** What the route decided; absent in a run that older code began. */
  readonly routing?: RoutingPlan;
  /** Deadline of the whole generation, ms since 1970; absent in a run that older code began. */
  readonly deadlineAtMs?: number;
  /** The key of its conversation for the vendors' prompt caches; absent if the prompt is too short for them. */
  readonly promptCacheKey?: string;
  /** The request brought a webhook, which the input has. */
  readonly hasWebhook?: true;
  /** A part of another generation: no webhook is notified of it. */
  readonly isPart?: true;
  /** The batch with which it may wait at a vendor: the run of that batch holds its reservation until it has its own. */
  readonly batchId?: string;
  /**
   * When its log was created, ms since 1970. An Idempotency-Key that is reused after the retention of the log gives the
   * same id to another generation; this distinguishes what is stored by id. Absent if no key was sent, because such
   * an id is unique, and in a run that older code began.
   */
  readonly logCreatedAtMs?: number;
  /** The same, if Temporal still knows the run of the earlier log: what the budgets recorded before belongs to it. */
  readonly againSinceMs?: number;
}

/** A candidate with its context window, if that is known. */
interface WindowedCandidate extends Candidate {
  readonly contextTokens: number | null;
}

/** The decisions of a route besides the order of its candidates. */
export interface RoutingPlan {
  /** The kind of task; null if the route does not ask. */
  readonly task: string | null;
  /** Why each model has its place, and what it would cost; shown in the Temporal UI. */
  readonly reasons: readonly string[];
  /** Context windows of the order's candidates, in the same order. */
  readonly contextTokens: readonly (number | null)[];
  /** Tried only after a model has said that the input is too long for it. */
  readonly onContextLength: readonly WindowedCandidate[];
  /** After a refusal by content policy: end with that refusal (`tell`, the default) or try the next candidate. */
  readonly onContentPolicy: 'tell' | 'fall-back';
  /** When no key of a candidate has room: try the next candidate, or wait. */
  readonly whenFull: 'next' | 'wait';
  /** Longest wait for room. */
  readonly maxWaitMs: number;
  /** Whether a stored answer of any age may end the chain, marked as degraded. */
  readonly cachedAnswer: boolean;
}

/**
 * `tool-calls`: the model waits for the results of the tools that it called. `refusal`: the model declined.
 * `content-filter`: a filter of the vendor ended the answer. `pause`: the vendor paused a long turn of its tools,
 * which continues when the conversation is sent again with this answer.
 */
export const finishReasons = ['stop', 'length', 'tool-calls', 'refusal', 'content-filter', 'pause'] as const;
export type FinishReason = (typeof finishReasons)[number];

export const generationStatuses = ['running', 'completed', 'failed', 'cancelled'] as const;
export type GenerationStatus = (typeof generationStatuses)[number];

/**
 * How an attempt begins. `start`: nothing was delivered yet. The others continue a log that has text:
 * `reattach` to the running response, `prefill` the assistant's turn, `instruct` the model to continue,
 * `restart` from the beginning (after `text-reset` unless the new text begins with the old).
 */
export const resumeStrategies = ['start', 'reattach', 'prefill', 'instruct', 'restart'] as const;
export type ResumeStrategy = (typeof resumeStrategies)[number];

const tokens = z.int().nonnegative();

/** Here and not beside `Usage`: money.ts must stay free of libraries. */
export const usageSchema: z.ZodType<Usage> = z.object({
  inputTokens: tokens,
  inputAudioTokens: tokens.optional().describe('Those of inputTokens that are spoken; absent: none.'),
  cachedInputTokens: tokens,
  cacheWriteTokens: tokens,
  cacheWriteHourTokens: tokens
    .optional()
    .describe('Those of cacheWriteTokens that the provider keeps for an hour; absent: none.'),
  outputTokens: tokens,
  outputImageTokens: tokens.optional().describe('Those of outputTokens that are pictures; absent: none.'),
  reasoningTokens: tokens,
  estimated: z.boolean(),
  serviceTier: z.enum(['batch']).optional().describe('Used in batches of the provider, which cost less.'),
});

export const generationViewSchema = z.object({
  id: z.string(),
  status: z.enum(generationStatuses),
  route: z.string(),
  user: z.string(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  createdAt: z.int().describe('Milliseconds since 1970.'),
  endedAt: z.int().nullable(),
  lastSeq: z.int().describe('The seq of the newest event; follow with ?after=<seq>.'),
  finishReason: z.enum(finishReasons).nullable(),
  stopSequence: z
    .string()
    .nullable()
    .describe('The stop sequence that ended the answer, if the vendor says so.'),
  refusal: z
    .object({ text: z.string().optional(), category: z.string().optional() })
    .nullable()
    .describe('Set if the model declined: why, if it says so.'),
  usage: usageSchema.nullable(),
  costMicroUsd: z.int().nullable(),
  attempts: z.int(),
  cached: z.boolean(),
  degraded: z.boolean().describe('An old stored answer stands in, because every candidate failed.'),
  text: z.string().nullable().describe('The text so far.'),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      doc: z.string(),
      details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    })
    .nullable(),
  prompt: z
    .object({ name: z.string(), version: z.int() })
    .nullable()
    .describe('The version of the named prompt that was used.'),
  continues: z.string().nullable().describe('The generation whose text this one continues.'),
  metadata: z.record(z.string(), z.string()),
});
export type GenerationView = z.infer<typeof generationViewSchema>;
