/** Maps Gemini's usage, which counts cached tokens within the prompt, and thoughts beside the candidates. */
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

interface ModalityCount {
  readonly modality?: unknown;
  readonly tokenCount?: number | null;
}

interface GoogleUsageMetadata {
  readonly promptTokenCount?: number | null;
  readonly cachedContentTokenCount?: number | null;
  readonly toolUsePromptTokenCount?: number | null;
  readonly promptTokensDetails?: readonly ModalityCount[] | null;
  readonly cacheTokensDetails?: readonly ModalityCount[] | null;
  readonly candidatesTokenCount?: number | null;
  readonly candidatesTokensDetails?: readonly ModalityCount[] | null;
  readonly thoughtsTokenCount?: number | null;
  readonly totalTokenCount?: number | null;
}

export function mapGoogleUsage(usage: GoogleUsageMetadata | undefined | null): Usage | null {
  if (!usage) return null;
  const input = count(usage.promptTokenCount) + count(usage.toolUsePromptTokenCount);
  const visible = count(usage.candidatesTokenCount);
  // The total also contains thoughts that some reports count nowhere else.
  const reasoning = Math.max(count(usage.thoughtsTokenCount), count(usage.totalTokenCount) - input - visible);
  return disjointUsage({
    input,
    audio: countIn(usage.promptTokensDetails, 'AUDIO') - countIn(usage.cacheTokensDetails, 'AUDIO'),
    cached: usage.cachedContentTokenCount,
    output: visible + reasoning,
    image: countIn(usage.candidatesTokensDetails, 'IMAGE'),
    reasoning,
  });
}

/** The counts of a stream, which grow. A chunk may leave out what an earlier one has said. */
export class GoogleCounts {
  #known: GoogleUsageMetadata = {};

  /** @returns null if the chunk says nothing. */
  read(usage: GoogleUsageMetadata | undefined | null): Usage | null {
    if (!usage) return null;
    const stated = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined);
    this.#known = { ...this.#known, ...Object.fromEntries(stated) };
    return mapGoogleUsage(this.#known);
  }
}

function countIn(details: readonly ModalityCount[] | null | undefined, modality: 'AUDIO' | 'IMAGE'): number {
  if (!Array.isArray(details)) return 0;
  const counted = (details as readonly (ModalityCount | null)[]).filter(
    (detail) => detail?.modality === modality,
  );
  return counted.reduce((sum, detail) => sum + count(detail?.tokenCount), 0);
}
