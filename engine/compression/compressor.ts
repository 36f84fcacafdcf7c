/** The port to a compressor of contexts. The question guides it and is not shortened itself. */
import type { CompressionEngine } from '../../contracts/compression.ts';

export interface CompressionTask {
  /** What the user wants to know; '' if unknown. */
  readonly question: string;
  readonly contexts: readonly string[];
  /** For all of the contexts together. The built-in engine never exceeds it; LLMLingua-2 aims at it. */
  readonly targetTokens: number;
}

export interface CompressedContext {
  readonly text: string;
  /** How relevant it is to the question; comparable only within one task. */
  readonly relevance: number;
}

export interface Compressor {
  readonly engine: CompressionEngine;
  /** One for each context, in the order of the task. */
  compress(task: CompressionTask): Promise<readonly CompressedContext[]>;
}
