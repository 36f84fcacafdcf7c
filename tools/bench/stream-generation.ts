/** One generation through the product's API, read to its end. */
import { LIMITS } from '../../contracts/limits.ts';
import { promptOf } from '../../test/harness/prompt.ts';
import type { Stack } from '../../test/harness/stack.ts';
import { type StreamTimes, streamOnce } from './load.ts';

/** Of the provider, in its answer. */
export interface Silence {
  readonly afterTokens: number;
  readonly ms: number;
}

/** Longer than a stream may stay in the workflow task where it begins, so that an activity adopts it. */
export const UNTIL_ADOPTED: Silence = { afterTokens: 1, ms: LIMITS.adoptLeasedStreamAfterMs + 200 };

interface StreamedPlan {
  readonly tokens: number;
  readonly delayMs: number;
  readonly firstMs: number;
  readonly silence?: Silence;
  /** Absent: off. */
  readonly cache?: 'on' | 'off';
  /** Sent again while the API refuses it because too much begins at once. */
  readonly repeats?: boolean;
  /** The reader has the first event, with the id. */
  readonly onStart?: (id: string) => void;
  /** The reader learns that the provider is called. */
  readonly onCall?: () => void;
}

export async function generate(
  stack: Stack,
  plan: StreamedPlan,
  onFirst: () => void = () => undefined,
): Promise<StreamTimes & { readonly id: string }> {
  let id = '';
  let hasText = false;
  const times = await streamOnce({
    url: `${stack.api.url}/v1/generations`,
    key: stack.api.key,
    body: {
      input: promptOf(plan),
      cache: plan.cache ?? 'off',
      stream: true,
      model: 'simulated/sim-large',
      maxOutputTokens: plan.tokens + 1,
    },
    ...(plan.repeats === true ? { repeats: true, headers: { 'idempotency-key': crypto.randomUUID() } } : {}),
    isText: ({ type }) => type === 'text-delta',
    onEvent: ({ type, generationId }) => {
      if (type === 'generation-start') {
        id = String(generationId);
        plan.onStart?.(id);
      }
      if (type === 'provider-start') plan.onCall?.();
      if (type === 'text-delta' && !hasText) onFirst();
      hasText ||= type === 'text-delta';
      return type === 'generation-error' ? 'the generation failed' : undefined;
    },
  });
  return { ...times, id };
}
