/** OpenAI's embeddings request. Source: the types of the official client, EmbeddingCreateParams. */
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { modelNameSchema } from '../../../contracts/generation.ts';
import { secretsIn } from '../../../contracts/redact.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { resolveModel } from '../model-name.ts';

const MOST_INPUTS = 2_048;
/** Up to 300,000 numbers: each looked at by itself, not each by a schema. */
const isTokens = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((token) => Number.isSafeInteger(token) && token >= 0);
const tokens = z.custom<number[]>(isTokens, 'expected a list of tokens: whole numbers from 0');

export const embeddingsSchema = z.object({
  model: modelNameSchema,
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(MOST_INPUTS),
    tokens,
    z.array(tokens).min(1).max(MOST_INPUTS),
  ]),
  dimensions: z.int().positive().nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().nullish(),
});
export type EmbeddingsRequest = z.infer<typeof embeddingsSchema>;

export interface EmbeddingsTarget {
  readonly provider: string;
  readonly model: string;
  readonly baseUrl: string;
  readonly secret: string | undefined;
  /** The keys of all providers: no error may show one. */
  readonly secrets: readonly string[];
}

const VENDOR_URL = 'https://api.openai.com/v1';

/** Vectors of two models cannot be compared, so there is one target and no fallback. */
export function targetOf(config: Config, { model: name }: EmbeddingsRequest): EmbeddingsTarget {
  const asked = name.startsWith('text-embedding-') ? `openai/${name}` : name;
  const target = resolveModel(config, asked);
  const slash = 'model' in target ? target.model.indexOf('/') : -1;
  if (!('model' in target) || slash < 1) {
    throw new UnbrokenError(
      'model_not_found',
      'model: name an embedding model, as provider/model; a route has none.',
      {
        details: { param: 'model' },
      },
    );
  }
  const provider = target.model.slice(0, slash);
  const settings = config.providers[provider];
  const [key] = config.providerKeys[provider] ?? [];
  const speaksIt = settings?.wire === 'openai-responses' || settings?.wire === 'openai-chat';
  if (settings === undefined || !speaksIt || key === undefined) {
    const why = speaksIt ? 'has no key here' : 'has no embeddings in this format';
    throw new UnbrokenError('model_not_found', `model: the provider ${provider} ${why}.`, {
      details: { param: 'model' },
    });
  }
  const baseUrl = settings.baseUrl ?? VENDOR_URL;
  return {
    provider,
    model: target.model.slice(slash + 1),
    baseUrl,
    secret: key.secret,
    secrets: secretsIn(config.providerKeys),
  };
}

/** The texts, and the number of tokens that the caller has made of texts itself. */
export function contentsOf({ input }: EmbeddingsRequest): {
  readonly texts: readonly string[];
  readonly tokens: number;
} {
  if (typeof input === 'string') return { texts: [input], tokens: 0 };
  const texts = input.filter((one) => typeof one === 'string');
  return { texts, tokens: input.flat().filter((one) => typeof one === 'number').length };
}
