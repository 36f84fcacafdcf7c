/** Creates the compressor that the config names, in the thread that runs it. */
import type { CompressionTarget } from '../../contracts/compression.ts';
import { countTokens } from '../../contracts/count-tokens.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { loadInstalled } from '../../platform/optional-package.ts';
import { createCoarseCompressor } from './coarse-compressor.ts';
import type { Compressor } from './compressor.ts';
import { loadLlmLingua2 } from './llmlingua2-compressor.ts';
import { type EncodeSentences, SentenceVectors } from './sentence-vectors.ts';

/** What the thread is started with. */
export type CompressionData = Pick<Config, 'compression'>;
/** null: only load the compressor. */
export type CompressionRequest = {
  /** As JSON: a structured clone would lose the digits of 64-bit numbers. */
  readonly messagesJson: string;
  readonly target: CompressionTarget;
} | null;

export async function createCompressor(
  { compression }: CompressionData,
  encode: EncodeSentences,
): Promise<Compressor> {
  const { engine, llmlingua2, ranking } = compression;
  if (engine === 'llmlingua-2' && llmlingua2 !== undefined) {
    return loadLlmLingua2(llmlingua2, countTokens, loadInstalled);
  }
  return createCoarseCompressor(countTokens, ranking === 'meaning' ? new SentenceVectors(encode) : null);
}
