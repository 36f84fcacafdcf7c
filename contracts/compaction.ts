/**
 * A compaction stands for the turns of a conversation before it: a summary, sealed so that its client can keep it. It
 * is an item of OpenAI's Responses, and here a part that every provider can take, because it is opened before the call.
 */
import { type Message, type NativePart, type Part, partsOf } from './content.ts';

/** Either of the two marks a seal: one that was changed at an end must not be taken for a vendor's own value. */
export const COMPACTION_SEAL = { purpose: 'compaction', prefix: 'ubc1_', suffix: '_1cbu' } as const;

/** OpenAI takes no lower `compact_threshold`. */
export const LEAST_COMPACT_TOKENS = 1_000;

/** A summary, which another generation writes first, replaces the older turns of the conversation. */
export interface PlannedCompaction {
  /** The generation that writes it. */
  readonly generationId: string;
  /** The first message that stays as it is. */
  readonly from: number;
  /** The longest that the summary should be. */
  readonly words: number;
}

export function compactionPart(sealed: string): NativePart {
  const value = { type: 'compaction', encrypted_content: sealed };
  return { type: 'native', format: 'openai-responses', value };
}

/** @returns null for every other part, also for a compaction of a vendor: only that vendor can read it. */
export function sealOfCompaction(part: Part): string | null {
  if (part.type !== 'native' || part.value['type'] !== 'compaction') return null;
  const { encrypted_content: sealed } = part.value;
  const { prefix, suffix } = COMPACTION_SEAL;
  if (typeof sealed !== 'string') return null;
  return sealed.startsWith(prefix) || sealed.endsWith(suffix) ? sealed : null;
}

export function compactionsIn(messages: readonly Message[]): readonly string[] {
  return messages.flatMap((message) =>
    typeof message.content === 'string'
      ? []
      : partsOf(message).flatMap((part) => sealOfCompaction(part) ?? []),
  );
}
