/** How the next attempt begins. Pure: decided by what the log says and what the model can do. */
import { z } from 'zod';
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ProviderCall, ProviderCapabilities, ProviderCursor } from '../../engine/providers/provider.ts';
import type { GenerationRecord, OpenAttempt } from '../generation-record.ts';

export type Resume = ProviderCall['resume'];

const checkpointSchema = z.object({
  provider: z.string(),
  model: z.string(),
  cursor: z.object({
    responseId: z.string(),
    sequenceNumber: z.number(),
    textChars: z.number(),
    reasoningChars: z.number().optional(),
    toolCalls: z
      .array(
        z.object({ outputIndex: z.number(), id: z.string(), name: z.string(), argumentsChars: z.number() }),
      )
      .optional(),
  }),
  keyId: z.string().optional(),
  attempt: z.int(),
});

/** What the log keeps beside the text: whose response it is, and where it stands. */
export interface Checkpoint extends Candidate {
  /** The attempt whose response it is: one after it may have been made and its response never learnt. */
  readonly attempt: number;
  readonly cursor: ProviderCursor;
  /** The key that the response was made with; absent where older code wrote it. */
  readonly keyId?: string | undefined;
}

/** The checkpoint of the attempt that the log holds open; null where that attempt cannot be taken up again. */
export function openCheckpoint(stored: unknown, record: GenerationRecord): Checkpoint | null {
  const parsed = checkpointSchema.safeParse(stored);
  const open = record.openAttempt;
  if (!parsed.success || open === null) return null;
  const { provider, model, attempt } = parsed.data;
  const isOpen = provider === open.provider && model === open.model && attempt === open.attempt;
  return isOpen ? parsed.data : null;
}

/** The response that a stored checkpoint names; undefined where it names none. */
export function responseIdOf(stored: unknown): string | undefined {
  return checkpointSchema.safeParse(stored).data?.cursor.responseId;
}

/**
 * What the model can do with this input. A schema constrains the model to a whole JSON value from its first character
 * on, so it cannot write the rest of one: such an answer is reattached or restarted.
 */
export function capabilitiesFor(
  can: ProviderCapabilities,
  { output }: Pick<GenerationInput, 'output'>,
): ProviderCapabilities {
  return output === undefined ? can : { ...can, prefill: false, instruct: false };
}

/** @param can of the model for this input, as `capabilitiesFor` says. */
export function planResume(
  candidate: Candidate,
  can: ProviderCapabilities,
  record: GenerationRecord,
  checkpoint: Checkpoint | null,
): Resume {
  const isSameModel = checkpoint?.provider === candidate.provider && checkpoint.model === candidate.model;
  if (checkpoint !== null && isSameModel && can.reattach) {
    return { strategy: 'reattach', cursor: checkpoint.cursor };
  }
  // Half a tool call is no text that a model could go on with, and text after one belongs to its turn.
  if (record.hasToolCalls) return { strategy: 'restart' };
  if (record.text === '') return { strategy: 'start' };
  const prefillRefused = record.errors.some(
    (error) =>
      error.code === 'provider_prefill_refused' &&
      error.provider === candidate.provider &&
      error.model === candidate.model,
  );
  if (can.prefill && !prefillRefused) return { strategy: 'prefill', deliveredText: record.text };
  if (can.instruct && !isTooShort(record)) return { strategy: 'instruct', deliveredText: record.text };
  return { strategy: 'restart' };
}

/** The caller has asked to continue an answer, or to raise its cap: then even the shortest text is kept. */
function isTooShort({ text, continuedChars, capTokens }: GenerationRecord): boolean {
  return continuedChars === 0 && capTokens === 0 && text.trim().length < LIMITS.leastContinuedChars;
}

/**
 * What a response owes to those who read the text before it. It follows from how the response was asked for, not from
 * how this process came to read it: after a reattach it is the same.
 */
export interface ResponseDuties {
  /** What readers hold is voided before the call leaves: tool calls and thinking are never continued. */
  readonly voids: boolean;
  /** The text that the response may begin with again; '' where it may not, or its first text has been let through. */
  readonly guardedText: string;
  /** The delivered text that was sent to the model and is paid as input; '' where none was. */
  readonly sentText: string;
}

export function dutiesOf(resume: Resume, record: GenerationRecord): ResponseDuties {
  const running = resume.strategy === 'reattach' ? record.openAttempt : null;
  const begunAs = running?.begunAs ?? resume.strategy;
  const restarts = begunAs === 'start' || begunAs === 'restart';
  // What a running response has delivered itself is its own, and stays.
  const voids = restarts && running?.hasOutput !== true && (record.hasToolCalls || record.hasReasoning);
  // No model is trusted to continue where it was asked to: what it says first is compared as that of a restart is.
  const isGuarded = begunAs !== 'start' && !voids && running?.hasOwnText !== true;
  return {
    voids,
    guardedText: isGuarded ? record.text : '',
    sentText: 'deliveredText' in resume ? resume.deliveredText : running === null ? '' : sentTextOf(running),
  };
}

/** The delivered text that the call of this attempt carried beside its input. */
export function sentTextOf({ begunAs, heldText }: Pick<OpenAttempt, 'begunAs' | 'heldText'>): string {
  return begunAs === 'prefill' || begunAs === 'instruct' ? heldText : '';
}
