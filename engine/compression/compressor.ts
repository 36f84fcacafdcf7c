/** The port to what shortens a context. The question is given to judge by; it is not part of what is shortened. */
import type { CompressionEngine } from '../../contracts/compression.ts';

export interface CompressionTask {
  /** What the reader wants to know; '' where there is nothing to judge by. */
  readonly question: string;
  readonly contexts: readonly string[];
  /** For all of the contexts together. The built-in engine never exceeds it; LLMLingua-2 aims at it. */
  readonly targetTokens: number;
}

export interface CompressedContext {
  readonly text: string;
  /** How much it has to do with the question; only to compare contexts of one task. */
  readonly relevance: number;
}

export interface Compressor {
  readonly engine: CompressionEngine;
  /** One for each context, in the order of the task. */
  compress(task: CompressionTask): Promise<readonly CompressedContext[]>;
}
