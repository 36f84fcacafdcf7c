/** The order of a generation that follows another, or is followed. */
import type { GenerationOrder } from '../../contracts/generation.ts';

export const CANDIDATE = { provider: 'p', model: 'm' };

export function orderOf(generationId: string): GenerationOrder {
  return {
    generationId,
    tenant: 't',
    user: 'ann',
    team: null,
    keyId: 'k',
    route: 'default',
    cache: 'on',
    candidates: [CANDIDATE],
    maxOutputTokens: 200,
    limitMs: 60_000,
    inputChars: 6,
  };
}

const reserved = { reservedTokens: 300, remainingTokens: null, maxOutputTokens: 200 };
export const stepOf = (generationId: string) => ({
  order: orderOf(generationId),
  candidate: CANDIDATE,
  ...reserved,
});
export const cacheSettings = () => ({
  acceptedFalseHits: 0.01,
  ttlMs: 1_000,
  judge: false,
  singleFlight: true,
  share: 'tenant' as const,
});
