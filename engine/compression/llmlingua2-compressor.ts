/**
 * LLMLingua-2 by its JavaScript port: a small model decides for each word whether it can go. The packages have half a
 * gigabyte, so they are an optional installation; the model is a folder on this machine, and nothing is downloaded.
 * Sources: Pan et al., "LLMLingua-2" (ACL 2024); https://github.com/atjsh/llmlingua-2-js.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { CompressionConfig } from '../../platform/config/schema.ts';
import type { CompressedContext, Compressor } from './compressor.ts';

type ModelConfig = NonNullable<CompressionConfig['llmlingua2']>;

/** The used part of the packages. */
interface Packages {
  readonly lingua: { readonly LLMLingua2: Record<'WithBERTMultilingual' | 'WithXLMRoBERTa', Factory> };
  readonly transformers: { readonly env: { localModelPath: string; allowRemoteModels: boolean } };
  readonly tiktoken: { readonly Tiktoken: new (ranks: unknown) => unknown };
  readonly ranks: { readonly default: unknown };
}
type Factory = (
  model: string,
  options: object,
) => Promise<{ readonly promptCompressor: { compress(text: string, options: object): Promise<string> } }>;

type LoadPackage = (name: string) => Promise<unknown>;

const PACKAGES = '@atjsh/llmlingua-2 @huggingface/transformers js-tiktoken';
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json'] as const;
/** Always kept: without them sentences run into each other. */
const FORCED = ['.', '?', '!'];

/** Loads the model, which takes seconds. Throws an error that names what is missing and how to install it. */
export async function loadLlmLingua2(
  { model, family, dtype }: ModelConfig,
  countTokens: (text: string) => number,
  load: LoadPackage,
): Promise<Compressor> {
  const folder = resolve(model);
  checkModel(folder);
  const packages = await loadPackages(load);
  packages.transformers.env.localModelPath = dirname(folder);
  packages.transformers.env.allowRemoteModels = false;
  const factory = packages.lingua.LLMLingua2[family === 'bert' ? 'WithBERTMultilingual' : 'WithXLMRoBERTa'];
  const { promptCompressor } = await factory(basename(folder), {
    transformerJSConfig: { device: 'cpu', dtype },
    oaiTokenizer: new packages.tiktoken.Tiktoken(packages.ranks.default),
  }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`compression.llmlingua2.model: ${folder} cannot be loaded as ${family}: ${reason}`, {
      cause: error,
    });
  });
  return {
    engine: 'llmlingua-2',
    async compress({ contexts, targetTokens }) {
      const tokens = contexts.map(countTokens);
      const rate =
        targetTokens /
        Math.max(
          1,
          tokens.reduce((sum, count) => sum + count, 0),
        );
      const compressed: CompressedContext[] = [];
      // One after the other: the model uses all cores.
      for (const text of contexts) {
        const options = { rate, forceTokens: FORCED, forceReserveDigit: true, dropConsecutive: true };
        compressed.push({ text: (await promptCompressor.compress(text, options)) || '…', relevance: 0 });
      }
      return compressed;
    },
  };
}

function checkModel(folder: string): void {
  const missing = FILES.filter((file) => !existsSync(join(folder, file)));
  if (missing.length === 0 && existsSync(join(folder, 'onnx'))) return;
  const lacks = existsSync(folder) ? `lacks ${[...missing, 'onnx/'].join(', ')}` : 'does not exist';
  throw new Error(
    `compression.llmlingua2.model: the folder ${folder} ${lacks}. Put a model in ONNX there, such as ` +
      'atjsh/llmlingua-2-js-tinybert-meetingbank of Hugging Face, or set compression.engine to built-in.',
  );
}

async function loadPackages(load: LoadPackage): Promise<Packages> {
  try {
    const [lingua, transformers, tiktoken, ranks] = await Promise.all([
      load('@atjsh/llmlingua-2'),
      load('@huggingface/transformers'),
      load('js-tiktoken/lite'),
      load('js-tiktoken/ranks/o200k_base'),
    ]);
    return { lingua, transformers, tiktoken, ranks } as Packages;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `compression.engine is llmlingua-2, whose packages cannot be loaded (${reason}). Run: npm install ${PACKAGES}`,
      { cause: error },
    );
  }
}
