/**
 * The events of a generation's log. Every event has an integer `seq` from 0, without gaps; exactly one event is
 * terminal and it is the last. All wire formats are projections of these. PROTOCOL.md is the prose of this file.
 */
import { z } from 'zod';
import { budgetStandingSchema } from './budgets.ts';
import { cacheMatches } from './cache-mode.ts';
import { compressionEngines } from './compression.ts';
import { requestFormatSchema } from './content.ts';
import { endingSchema } from './ending.ts';
import { errorBodySchema } from './error-body.ts';
import { finishReasons, resumeStrategies, usageSchema } from './generation.ts';
import { LIMITS } from './limits.ts';
import { tokenLogprobSchema } from './token-logprobs.ts';

const progress = { usage: usageSchema, costMicroUsd: z.int().nonnegative() };
const place = z.int().nonnegative();
const matchFields = {
  matchedBy: z.enum(cacheMatches).optional().describe('What found that both ask the same'),
  probability: z.number().optional().describe("The model's estimate that both ask the same, 0 to 1"),
};
/** What only one format has, in its own words. */
const nativePart = { format: requestFormatSchema, value: z.record(z.string(), z.unknown()) };
export const eventBodySchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('generation-start'),
    generationId: z.string(),
    route: z.string(),
    user: z.string(),
    prompt: z
      .object({ name: z.string(), version: z.int() })
      .optional()
      .describe('The version of the named prompt that it got'),
  }),
  z.object({
    type: z
      .literal('generation-continue')
      .describe('This generation continues the answer of an earlier one; that text follows first'),
    generationId: z.string().describe('The earlier generation'),
    chars: z.int().describe('Characters of its text'),
  }),
  z.object({
    type: z
      .literal('prompt-compress')
      .describe('The context was shortened; the question and the system were not'),
    engine: z.enum(compressionEngines),
    tokensBefore: z.int().describe('Of the context, by our tokenizer'),
    tokensAfter: z.int(),
    reason: z.string().nullable().describe('Why less was removed than was asked for'),
  }),
  z.object({
    type: z
      .literal('compaction')
      .describe(
        'The older turns of the conversation were replaced by a summary that another generation wrote',
      ),
    generationId: z.string().describe('That generation; it has its own usage and cost'),
    sealed: z
      .string()
      .max(LIMITS.sealedCompactionChars)
      .describe('The summary and the turns that were kept, for a client that sends them back'),
  }),
  z.object({
    type: z.literal('cache-hit'),
    provider: z.string(),
    model: z.string(),
    similarity: z.number(),
    ...matchFields,
    ageMs: z.int().nonnegative(),
    degraded: z.boolean().optional().describe('Every candidate failed; an old answer stands in'),
    entryId: z.string().optional().describe('Names the stored answer; it can be deleted by this'),
    questionId: z
      .string()
      .optional()
      .describe('Names the question that was asked; equal to entryId if the stored one has the same words'),
  }),
  z.object({
    type: z
      .literal('cache-skip')
      .describe('The cache did not answer in time; the generation continues without it'),
    reason: z.string(),
  }),
  z.object({
    type: z
      .literal('cache-ask')
      .describe('A small model will be asked whether a stored answer fits; cache-judge says what it cost'),
    provider: z.string(),
    model: z.string(),
    usage: usageSchema.describe('An estimate, which is charged if no cache-judge follows'),
    costMicroUsd: z.int().nonnegative(),
  }),
  z.object({
    type: z
      .literal('cache-judge')
      .describe('A small model was asked whether a stored answer fits; this is what it cost'),
    provider: z.string(),
    model: z.string(),
    same: z.boolean(),
    ...progress,
  }),
  z.object({
    type: z
      .literal('cache-join')
      .describe('Another generation is answering the same question: this one follows it and shares its cost'),
    leader: z.string().describe('The id of that generation'),
    similarity: z.number(),
    ...matchFields,
    entryId: z.string().optional().describe('Names the stored answer that its answer will be'),
    questionId: z.string().optional().describe('As in cache-hit'),
  }),
  z.object({
    type: z
      .literal('cache-leave')
      .describe('The other generation cannot be followed to its end; this one continues alone'),
    reason: z.string(),
    share: z
      .object(progress)
      .optional()
      .describe('Its share of the other one, which ended and counted this follower, and whose text is gone'),
  }),
  z.object({
    type: z.literal('budget-reserve'),
    reservedTokens: z.int(),
    reservedMicroUsd: z.int().optional(),
    remainingTokens: z.int().nullable().describe('null: no limit is set'),
    maxOutputTokens: z.int().describe('The output cap of this generation, clipped to the budget'),
  }),
  z.object({
    type: z.literal('budget-warn').describe('A budget of this generation has passed its warning share'),
    ...budgetStandingSchema.shape,
  }),
  z.object({
    type: z
      .literal('cap-raise')
      .describe('The answer reached its output cap, which had been raised meanwhile; generation continues'),
    provider: z.string(),
    model: z.string(),
    attempt: z.int(),
    maxOutputTokens: z.int().describe('The new output cap of this generation'),
    ...progress,
  }),
  z.object({
    type: z.literal('provider-start'),
    provider: z.string(),
    model: z.string(),
    attempt: z.int().describe('1 for the first call of any provider in this generation'),
    strategy: z.enum(resumeStrategies),
    dropped: z
      .array(z.string())
      .optional()
      .describe('What this call leaves out of the request, because only another provider can read it'),
  }),
  z.object({
    type: z.literal('text-delta'),
    text: z.string(),
    logprobs: z
      .array(tokenLogprobSchema)
      .optional()
      .describe('Of the tokens of this text, if the request asks for them'),
  }),
  z.object({
    type: z
      .literal('text-start')
      .describe('Another part of the text begins. Absent before a first part without a phase'),
    part: z
      .enum(['message', 'block'])
      .describe(
        'A separate message; its text begins with a blank line if text precedes it. Or a block of a message',
      ),
    phase: z.string().optional().describe('What the message is for, such as commentary or final_answer'),
  }),
  z.object({
    type: z
      .literal('annotation')
      .describe('A citation or another note of the vendor on the part of the text before it'),
    ...nativePart,
  }),
  z.object({
    type: z
      .literal('native-part')
      .describe('A whole block or item of the answer that only this format has; other formats leave it out'),
    ...nativePart,
  }),
  z.object({
    type: z.literal('reasoning-delta'),
    text: z.string(),
    item: place.optional().describe('Which block or item of reasoning it belongs to; 0 if absent'),
    part: place.optional().describe('Which paragraph of that item; 0 if absent'),
  }),
  z.object({
    type: z
      .literal('reasoning-seal')
      .describe("What only the model's vendor can read of its thoughts. It goes back to the model as it is"),
    item: place.optional().describe('The item of reasoning that it belongs to'),
    callId: z
      .string()
      .optional()
      .describe('The tool call that it belongs to. If both are absent, it belongs to the text'),
    sealed: z.string().max(LIMITS.sealedReasoningChars),
  }),
  z.object({
    type: z
      .literal('tool-call-delta')
      .describe('A part of a tool call; the parts of one index, joined, are the call'),
    index: z.int().nonnegative().describe('Which call of the answer'),
    id: z.string().describe('The same in every part of a call'),
    name: z.string().describe('The same in every part of a call'),
    arguments: z.string().describe('The next characters of the JSON arguments'),
  }),
  z.object({
    type: z.literal('text-reset').describe('All text, reasoning and tool calls before this event are void'),
    reason: z.string(),
  }),
  z.object({
    type: z.literal('provider-error').describe('An attempt ended without a finished answer; more may follow'),
    provider: z.string(),
    model: z.string(),
    attempt: z.int(),
    code: z.string(),
    message: z.string(),
    path: z
      .string()
      .optional()
      .describe('Only with output_invalid: a JSON Pointer to what does not fit the schema; empty: the whole'),
    resumable: z.boolean().describe('The same response is resumed; its usage is reported when it ends'),
    ...progress,
  }),
  z.object({
    type: z.literal('usage-update').describe('Progress so far; an estimate until the generation ends'),
    provider: z.string(),
    model: z.string(),
    attempt: z.int(),
    ...progress,
  }),
  z.object({
    type: z.literal('generation-end'),
    provider: z.string(),
    model: z.string(),
    finishReason: z.enum(finishReasons),
    ...endingSchema.shape,
    attempts: z.int(),
    cached: z.boolean(),
    degraded: z.boolean().optional().describe('An old stored answer, because every candidate failed'),
    ...progress,
    shared: z
      .object({ by: z.int().min(2).describe('Generations that share one call'), ...progress })
      .optional()
      .describe(
        'Only where a call was shared: what each follower pays; the leader pays that and the remainder',
      ),
    saved: z
      .object({ tokens: z.int().nonnegative(), costMicroUsd: z.int().nonnegative() })
      .optional()
      .describe(
        'Only where a stored answer or a shared call spared a call: what that call used, less what is paid',
      ),
  }),
  z.object({ type: z.literal('generation-error'), error: errorBodySchema, attempts: z.int(), ...progress }),
  z.object({ type: z.literal('generation-cancel'), attempts: z.int(), ...progress }),
]);

/** An event as a writer appends it; the log adds `seq` and `at`. */
export type EventBody = z.infer<typeof eventBodySchema>;
export type EventType = EventBody['type'];

/**
 * An event as a reader gets it. `at`: when it was appended, ms since 1970. `from`: only on a delta that was
 * coalesced for a reader that was behind; the first seq that it covers (`seq` is the last).
 */
export type GenerationEvent = EventBody & {
  readonly seq: number;
  readonly at: number;
  readonly from?: number;
};

export const generationEventSchema = z.intersection(
  eventBodySchema,
  z.object({ seq: z.int().nonnegative(), at: z.int(), from: z.int().nonnegative().optional() }),
);
