/** The compressor that the config names. One that cannot be had ends the worker at its start, not a generation. */
import type { Config } from '../config/load-config.ts';
import { countTokens } from '../contracts/count-tokens.ts';
import { createCoarseCompressor } from '../prompts/coarse-compressor.ts';
import type { Compressor } from '../prompts/compressor.ts';
import { loadLlmLingua2 } from '../prompts/llmlingua2-compressor.ts';
import { createSentenceVectors } from '../prompts/sentence-vectors.ts';
import { loadInstalled } from '../providers/optional-package.ts';

export async function createCompressor({ compression }: Pick<Config, 'compression'>): Promise<Compressor> {
  const { engine, llmlingua2, ranking } = compression;
  if (engine === 'llmlingua-2' && llmlingua2 !== undefined) {
    return loadLlmLingua2(llmlingua2, countTokens, loadInstalled);
  }
  return createCoarseCompressor(countTokens, ranking === 'meaning' ? createSentenceVectors() : null);
}
