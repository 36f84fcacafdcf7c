/** Decides how the next attempt resumes, from what the log says and what the model can do. Pure. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { isSameCandidate } from '../../contracts/candidate.ts';
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
    separates: z.boolean().optional(),
    annotations: z.number().optional(),
    nativeParts: z.number().optional(),
    sealedItems: z.array(z.number()).optional(),
    toolCalls: z
      .array(
        z.object({ outputIndex: z.number(), id: z.string(), name: z.string(), argumentsChars: z.number() }),
      )
      .optional(),
  }),
  keyId: z.string().optional(),
  attempt: z.int(),
});

/** Stored with the text in the log: whose response it is, and the position in it. */
export interface Checkpoint extends Candidate {
  /** The attempt that the response belongs to. A later attempt may exist whose response id never reached the log. */
  readonly attempt: number;
  readonly cursor: ProviderCursor;
  /** The key of the call; absent if older code wrote the checkpoint. */
  readonly keyId?: string | undefined;
}

/** The checkpoint of the open attempt; null if that attempt cannot be reattached to. */
export function openCheckpoint(stored: unknown, record: GenerationRecord): Checkpoint | null {
  const parsed = checkpointSchema.safeParse(stored);
  const open = record.openAttempt;
  if (!parsed.success || open === null) return null;
  const { provider, model, attempt } = parsed.data;
  const isOpen = provider === open.provider && model === open.model && attempt === open.attempt;
  return isOpen ? parsed.data : null;
}

/** The response that a stored checkpoint names; undefined if it names none. */
export function responseIdOf(stored: unknown): string | undefined {
  return checkpointSchema.safeParse(stored).data?.cursor.responseId;
}

/**
 * What the model can do with this input. With a schema the model writes a whole JSON value from its first character, so
 * it cannot write the rest of one: such an answer is reattached to or restarted.
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
  assert(checkpoint === null || record.openAttempt !== null, 'only an open attempt has a checkpoint');
  if (checkpoint !== null && isSameCandidate(checkpoint, candidate) && can.reattach) {
    return { strategy: 'reattach', cursor: checkpoint.cursor };
  }
  // No model continues half a tool call, and text after a tool call belongs to the same turn.
  if (record.hasToolCalls) return { strategy: 'restart' };
  if (record.text === '') return { strategy: 'start' };
  const prefillRefused = record.errors.some(
    (error) => error.code === 'provider_prefill_refused' && isSameCandidate(error, candidate),
  );
  if (can.prefill && !prefillRefused) return { strategy: 'prefill', deliveredText: record.text };
  if (can.instruct && !isTooShort(record)) return { strategy: 'instruct', deliveredText: record.text };
  return { strategy: 'restart' };
}

/** Even the shortest text is kept if the caller asked to continue an answer or raised its cap. */
function isTooShort({ text, continuedChars, capTokens }: GenerationRecord): boolean {
  return continuedChars === 0 && capTokens === 0 && text.trim().length < LIMITS.leastContinuedChars;
}

/**
 * What a response must do about the text that readers hold. It depends on how the response was requested, not on how
 * this process came to read it: after a reattach it is the same.
 */
export interface ResponseDuties {
  /**
   * Void what readers hold before the call leaves: tool calls and reasoning are never continued, nor is an answer that
   * does not fit its schema.
   */
  readonly voids: boolean;
  /** The text that the response may repeat; '' if it cannot, or if its first text has passed the guard already. */
  readonly guardedText: string;
  /** The delivered text that was sent to the model and is paid as input; '' if none was. */
  readonly sentText: string;
}

export function dutiesOf(resume: Resume, record: GenerationRecord): ResponseDuties {
  assert(
    resume.strategy !== 'reattach' || record.openAttempt !== null,
    'only an open attempt is reattached to',
  );
  assert(!('deliveredText' in resume) || resume.deliveredText !== '', 'only delivered text is continued');
  const running = resume.strategy === 'reattach' ? record.openAttempt : null;
  const begunAs = running?.begunAs ?? resume.strategy;
  const restarts = begunAs === 'start' || begunAs === 'restart';
  // What a running response has delivered itself stays.
  const voids = restarts && running?.hasOutput !== true && isVoidAtRestart(record);
  // A model may restart although it was asked to continue, so its first text is compared like that of a restart.
  const isGuarded = begunAs !== 'start' && !voids && running?.hasOwnText !== true;
  return {
    voids,
    guardedText: isGuarded ? record.text : '',
    sentText: 'deliveredText' in resume ? resume.deliveredText : running === null ? '' : sentTextOf(running),
  };
}

function isVoidAtRestart({ hasToolCalls, hasReasoning, holdsInvalid, text }: GenerationRecord): boolean {
  return hasToolCalls || hasReasoning || (holdsInvalid && text !== '');
}

/** The delivered text that the call of this attempt sent besides its input. */
export function sentTextOf({ begunAs, heldText }: Pick<OpenAttempt, 'begunAs' | 'heldText'>): string {
  return begunAs === 'prefill' || begunAs === 'instruct' ? heldText : '';
}
