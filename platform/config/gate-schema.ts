/** The shapes of the gate to a provider: its keys, their limits, and the circuit breaker. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DAY_MS } from '../../contracts/time.ts';

const count = z.int().positive();

export const keyLimitsSchema = z.strictObject({
  requests: count.optional().describe('Calls of one key in a window.'),
  tokens: count.optional().describe('Tokens of one key in a window, in and out.'),
  windowMs: z.int().min(1_000).max(DAY_MS).default(60_000).describe('The window; a minute if absent.'),
});

export const keySchema = z.strictObject({
  env: z.string().min(1).describe('The environment variable that holds the key, never the key itself.'),
  weight: z
    .number()
    .positive()
    .max(1_000)
    .default(1)
    .describe('Its share of the calls, relative to the other keys.'),
  limits: keyLimitsSchema.optional(),
});

export const breakerSchema = z.strictObject({
  windowMs: z.int().min(1_000).default(30_000).describe('The period whose calls are judged, up to now.'),
  minCalls: count.default(5).describe('With fewer calls in the window, the circuit stays closed.'),
  badShare: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('The share of failed and slow calls that opens the circuit.'),
  slowFirstTokenMs: count.default(8_000).describe('A first token later than this counts as slow.'),
  openMs: count.default(5_000).describe('How long a model is not called before one call probes it.'),
  maxOpenMs: count.default(10_000).describe('That time doubles with each failed probe, up to this.'),
});
export type BreakerSettings = z.output<typeof breakerSchema>;

/** One key of a provider. `id` names it in reports without revealing it, and changes with the key. */
export interface ProviderKey {
  readonly id: string;
  readonly secret: string | undefined;
  readonly weight: number;
  /** null: no known limit. */
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly windowMs: number;
}

interface KeyedProvider {
  readonly apiKeyEnv?: string | undefined;
  readonly keys?: readonly z.output<typeof keySchema>[] | undefined;
  readonly limits?: z.output<typeof keyLimitsSchema> | undefined;
}

/** The keys of a provider in the environment; one without a secret if the provider needs none. */
export function providerKeysOf(
  { apiKeyEnv, keys, limits: common }: KeyedProvider,
  environment: Readonly<Record<string, string | undefined>>,
): ProviderKey[] {
  const named = keys ?? (apiKeyEnv === undefined ? [] : [{ env: apiKeyEnv, weight: 1, limits: undefined }]);
  const limitsOf = (own: KeyedProvider['limits']) => ({
    requests: own?.requests ?? common?.requests ?? null,
    tokens: own?.tokens ?? common?.tokens ?? null,
    windowMs: (own ?? common)?.windowMs ?? 60_000,
  });
  if (named.length === 0) return [{ id: 'none', secret: undefined, weight: 1, ...limitsOf(undefined) }];
  return named.flatMap(({ env, weight, limits }) => {
    const secret = environment[env];
    if (!secret) return [];
    const mark = createHash('sha256').update(secret).digest('hex').slice(0, 6);
    return [{ id: `${env}#${mark}`, secret, weight, ...limitsOf(limits) }];
  });
}

/**
 * The name under which workers share their knowledge of a provider. Two deployments on one Redis may give different
 * servers the same name, so a base URL is part of it.
 */
export function gateScopeOf(name: string, baseUrl: string | undefined): string {
  return baseUrl === undefined
    ? name
    : `${name}@${createHash('sha256').update(baseUrl).digest('hex').slice(0, 8)}`;
}
