/** The port to the answer cache. A miss is never an error: where the cache is down or slow, there is no hit. */
import type { Candidate, FinishReason, GenerationInput } from '../contracts/generation.ts';
import type { Usage } from '../contracts/money.ts';

export interface CacheQuestion {
  readonly tenant: string;
  /** The models whose answers are acceptable: the candidates of the route. */
  readonly candidates: readonly Candidate[];
  readonly input: GenerationInput;
}

export interface CachedAnswer {
  readonly text: string;
  readonly provider: string;
  readonly model: string;
  readonly finishReason: FinishReason;
  /** What the answer cost when it was generated. */
  readonly usage: Usage;
  readonly storedAtMs: number;
  /** 1 for an exact match. */
  readonly similarity: number;
}

export type CacheLookUp =
  | { readonly outcome: 'hit'; readonly answer: CachedAnswer }
  | { readonly outcome: 'miss' }
  /** The cache did not answer in time; the generation goes on without it, and says so. */
  | { readonly outcome: 'unavailable'; readonly reason: string };

export interface AnswerCache {
  lookUp(question: CacheQuestion): Promise<CacheLookUp>;
  /**
   * The best stored answer of any age and by any model of the same tenant, for when nobody else answers. It is shown
   * as degraded, with its age and similarity.
   */
  lookUpBest(question: CacheQuestion): Promise<CacheLookUp>;
  /** Stores a complete answer (`finishReason: 'stop'`). Idempotent: the same question overwrites. */
  store(question: CacheQuestion, answer: Omit<CachedAnswer, 'similarity'>): Promise<void>;
}
