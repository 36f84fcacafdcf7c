/** How the next attempt begins. Pure: decided by what the log says and what the model can do. */
import { z } from 'zod';
import type { Candidate } from '../contracts/generation.ts';
import type { ProviderCall, ProviderCapabilities, ProviderCursor } from '../providers/provider.ts';
import type { GenerationRecord } from './generation-record.ts';

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
  if (can.instruct) return { strategy: 'instruct', deliveredText: record.text };
  return { strategy: 'restart' };
}

/**
 * Whether what readers hold must be voided as soon as the new attempt says anything. Tool calls and thinking are never
 * gone on with: the new attempt's would be added to the old.
 */
export function beginsAnew({ strategy }: Resume, record: GenerationRecord): boolean {
  if (strategy === 'start' || strategy === 'restart') return record.hasToolCalls || record.hasReasoning;
  return false;
}
