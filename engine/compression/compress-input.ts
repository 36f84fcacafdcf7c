/** Shortens the context of an input to its target. On any failure the input stays as it is, with the reason. */
import type { CompressionEngine, CompressionTarget } from '../../contracts/compression.ts';
import type { GenerationInput, Message } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Compressor } from './compressor.ts';
import { findContexts } from './find-contexts.ts';

export interface CompressedInput {
  readonly messages: readonly Message[];
  readonly engine: CompressionEngine;
  /** Of the context alone. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
  /** Why nothing was removed; null if the target was met. */
  readonly reason: string | null;
}

/** A shorter context is not worth the risk of losing something. */
const LEAST_TOKENS = 300;

/** The unchanged input, with the reason. */
export function uncompressed(
  messages: readonly Message[],
  engine: CompressionEngine,
  reason: string,
): CompressedInput {
  const { contexts } = findContexts(messages);
  const tokens = Math.ceil(contexts.reduce((sum, text) => sum + text.length, 0) / 4);
  return { messages, engine, tokensBefore: tokens, tokensAfter: tokens, reason };
}

/** Mostly synchronous and slow: for a thread. */
export async function compressInput(
  compressor: Compressor,
  { messages }: Pick<GenerationInput, 'messages'>,
  target: CompressionTarget,
  countTokens: (text: string) => number,
): Promise<CompressedInput> {
  const { engine } = compressor;
  const { question, contexts, rebuild } = findContexts(messages);
  const as = (before: number, reason: string): CompressedInput => ({
    messages,
    engine,
    tokensBefore: before,
    tokensAfter: before,
    reason,
  });
  const chars = contexts.reduce((sum, text) => sum + text.length, 0);
  if (contexts.length === 0)
    return as(0, 'There is no context: no document, tool result or long earlier text.');
  if (chars > LIMITS.compressionChars) {
    return as(Math.ceil(chars / 4), `The context is over ${LIMITS.compressionChars} characters.`);
  }
  const countAll = (texts: readonly string[]) => texts.reduce((sum, text) => sum + countTokens(text), 0);
  const tokensBefore = countAll(contexts);
  const targetTokens = 'keep' in target ? Math.floor(tokensBefore * target.keep) : target.targetTokens;
  if (tokensBefore < LEAST_TOKENS)
    return as(tokensBefore, `The context has fewer than ${LEAST_TOKENS} tokens.`);
  if (targetTokens >= tokensBefore) return as(tokensBefore, 'The context is within its target as it is.');
  try {
    const compressed = await compressor.compress({ question, contexts, targetTokens });
    const texts = compressed.map(({ text }) => text);
    const tokensAfter = countAll(texts);
    if (tokensAfter >= tokensBefore) return as(tokensBefore, 'Nothing could be left out.');
    return {
      messages: rebuild(
        texts,
        compressed.map(({ relevance }) => relevance),
      ),
      engine,
      tokensBefore,
      tokensAfter,
      reason: null,
    };
  } catch (error) {
    return as(tokensBefore, `The compression failed: ${error instanceof Error ? error.message : error}`);
  }
}
