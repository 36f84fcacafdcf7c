/** The compressor that the config names. */

import type { CompressionTarget } from '../../contracts/compression.ts';
import { countTokens } from '../../contracts/count-tokens.ts';
import type { Message } from '../../contracts/generation.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { loadInstalled } from '../../platform/optional-package.ts';
import { createSentenceVectors } from '../embedding/sentence-vectors.ts';
import { createCoarseCompressor } from './coarse-compressor.ts';
import type { Compressor } from './compressor.ts';
import { loadLlmLingua2 } from './llmlingua2-compressor.ts';

/** What the thread is started with. */
export type CompressionData = Pick<Config, 'compression'>;
/** null: to be ready is all that is asked. */
export type CompressionRequest = {
  readonly messages: readonly Message[];
  readonly target: CompressionTarget;
} | null;

export async function createCompressor({ compression }: CompressionData): Promise<Compressor> {
  const { engine, llmlingua2, ranking } = compression;
  if (engine === 'llmlingua-2' && llmlingua2 !== undefined) {
    return loadLlmLingua2(llmlingua2, countTokens, loadInstalled);
  }
  return createCoarseCompressor(countTokens, ranking === 'meaning' ? createSentenceVectors() : null);
}
