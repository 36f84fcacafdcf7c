/** Events as the log would give them, for pure tests. */
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import type { ResumeStrategy } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';

export const USAGE: Usage = {
  inputTokens: 5,
  cachedInputTokens: 1,
  cacheWriteTokens: 0,
  outputTokens: 3,
  reasoningTokens: 2,
  estimated: false,
};

export function eventsOf(...bodies: EventBody[]): GenerationEvent[] {
  return bodies.map((body, seq) => ({ seq, at: 0, ...body }));
}

export const text = (value: string): EventBody => ({ type: 'text-delta', text: value });

export function started(attempt: number, strategy: ResumeStrategy = 'start', model = 'm'): EventBody {
  return { type: 'provider-start', provider: 'sim', model, attempt, strategy };
}

export function failed(attempt: number, facts: { code?: string; resumable?: boolean } = {}): EventBody {
  const { code = 'provider_stream_cut', resumable = false } = facts;
  const error = { code, message: 'cut', resumable, usage: USAGE, costMicroUsd: 7 };
  return { type: 'provider-error', provider: 'sim', model: 'm', attempt, ...error };
}
