/** OpenAI's embeddings request. Source: the types of the official client, EmbeddingCreateParams. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseCandidate } from '../../../contracts/candidate.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { modelNameSchema } from '../../../contracts/generation.ts';
import { secretsIn } from '../../../contracts/redact.ts';
import { drawByWeight } from '../../../engine/routing/draw-by-weight.ts';
import type { ProviderKey } from '../../../platform/config/gate-schema.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { resolveModel } from '../model-name.ts';

const MAX_INPUTS = 2_048;
/** A check by hand: a list may have 300,000 numbers, and a schema for each would be slow. */
const isTokens = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((token) => Number.isSafeInteger(token) && token >= 0);
const tokens = z.custom<number[]>(isTokens, 'expected a list of tokens: whole numbers from 0');

/** Servers of this format have more fields, such as `input_type` of NVIDIA, without which some models refuse. */
export const embeddingsSchema = z.looseObject({
  model: modelNameSchema,
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(MAX_INPUTS),
    tokens,
    z.array(tokens).min(1).max(MAX_INPUTS),
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
  /** In the order in which they are tried. Undefined for a provider that needs none. */
  readonly keys: readonly (string | undefined)[];
  /** The keys of all providers, which no error may show. */
  readonly secrets: readonly string[];
}

const VENDOR_URL = 'https://api.openai.com/v1';

/** There is one target and no fallback: vectors of two models cannot be compared. @throws model_not_found */
export function resolveEmbeddingsTarget(
  config: Config,
  { model: name }: EmbeddingsRequest,
): EmbeddingsTarget {
  const qualified = name.startsWith('text-embedding-') ? `openai/${name}` : name;
  const target = resolveModel(config, qualified);
  const candidate = 'model' in target ? parseCandidate(target.model) : null;
  if (candidate === null) throw modelError('name an embedding model, as provider/model; a route has none.');
  const { provider, model } = candidate;
  const settings = config.providers[provider];
  const keys = config.providerKeys[provider] ?? [];
  const speaksFormat = settings?.wire === 'openai-responses' || settings?.wire === 'openai-chat';
  if (settings === undefined || !speaksFormat || keys.length === 0) {
    const reason = speaksFormat ? 'has no key here' : 'has no embeddings in this format';
    throw modelError(`the provider ${provider} ${reason}.`);
  }
  return {
    provider,
    model,
    baseUrl: (settings.baseUrl ?? VENDOR_URL).replace(/\/+$/, ''),
    keys: drawn(keys).map(({ secret }) => secret),
    secrets: secretsIn(config.providerKeys),
  };
}

/** The calls are shared by weight. These keys are not counted at the gate, so each call draws. */
function drawn(keys: readonly ProviderKey[]): readonly ProviderKey[] {
  if (keys.length < 2) return keys;
  const call = randomUUID();
  const lots = keys.map((key) => ({ key, lot: drawByWeight(`${call} ${key.id}`, key.weight) }));
  return lots.toSorted((a, b) => b.lot - a.lot).map(({ key }) => key);
}

function modelError(reason: string): UnbrokenError {
  return new UnbrokenError('model_not_found', `model: ${reason}`, { details: { param: 'model' } });
}

/** The texts of the input, and the number of tokens in inputs that the caller tokenized itself. */
export function embeddingInput({ input }: EmbeddingsRequest): {
  readonly texts: readonly string[];
  readonly tokens: number;
} {
  if (typeof input === 'string') return { texts: [input], tokens: 0 };
  const texts = input.filter((item) => typeof item === 'string');
  return { texts, tokens: input.flat().filter((item) => typeof item === 'number').length };
}

/** How many vectors are asked for: a list of numbers is one input. */
export function countInputs({ input }: EmbeddingsRequest): number {
  return typeof input === 'string' || typeof input[0] === 'number' ? 1 : input.length;
}
