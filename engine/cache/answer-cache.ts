/**
 * The port to the answer cache. A miss is never an error: a cache that is down or slow has no hit. An answer is found
 * by the same question, or by a question that a verifier accepts as the same.
 */
import type { CacheMatch } from '../../contracts/cache-mode.ts';
import type { Candidate, FinishReason, GenerationInput } from '../../contracts/generation.ts';
import type { MicroUsd, Usage } from '../../contracts/money.ts';

export interface CacheQuestion {
  readonly tenant: string;
  /** Only answers to this user are found, and only this user finds them; null: all users of the tenant share. */
  readonly onlyUser: string | null;
  /** The models whose answers are acceptable: the candidates of the route. */
  readonly candidates: readonly Candidate[];
  readonly input: GenerationInput;
}

export interface CachedAnswer {
  readonly text: string;
  readonly provider: string;
  readonly model: string;
  readonly finishReason: FinishReason;
  /** The stop sequence of the request that ended it, if the vendor said so. */
  readonly stopSequence?: string | undefined;
  /** What the answer cost when it was generated. */
  readonly usage: Usage;
  readonly storedAtMs: number;
  /** The id by which the stored entry can be deleted. */
  readonly entryId: string;
  /** Names the question that was asked: the id that a stored answer to it has. */
  readonly questionId: string;
  /** Cosine of the two questions; 1 for the same one. */
  readonly similarity: number;
  readonly matchedBy: CacheMatch;
  /** The model's estimate that both questions ask the same, from 0 to 1, if a model read them. */
  readonly probability?: number | undefined;
}

/** How sure a match must be and how old an answer may be: settings of the route, narrowed by the request. */
export interface LookUpLimits {
  /** The share of false hits among close questions that the route accepts, from 0 to 1. */
  readonly acceptedFalseHits: number;
  readonly maxAgeMs: number | null;
  /** Whether a judge decides when the verifier is unsure. */
  readonly judge: boolean;
}

/** A decision of the judge and its cost, which the asking generation pays. */
export interface Judgement {
  readonly provider: string;
  readonly model: string;
  readonly same: boolean;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

/**
 * Records a judge's call with its estimated cost before it is made: the call must be paid even if this process dies
 * before the judgement is recorded.
 * @returns false if such a call is already on record: it is not made again.
 */
export type NoteJudge = (call: Omit<Judgement, 'same'>) => Promise<boolean>;

export type CacheLookUp = { readonly judgement?: Judgement } & (
  | { readonly outcome: 'hit'; readonly answer: CachedAnswer }
  /** `refused`: entries that the verifier accepted and complaints ruled out; absent if there were none. */
  | { readonly outcome: 'miss'; readonly refused?: number }
  /** The cache did not answer in time. The generation continues without it and records that. */
  | { readonly outcome: 'unavailable'; readonly reason: string }
);

/** How a question was found, besides the answer. */
type Match = 'similarity' | 'entryId' | 'questionId' | 'matchedBy' | 'probability';

export interface AnswerToStore extends Omit<CachedAnswer, Match> {
  /** The user of the generation; entries can be deleted by user. */
  readonly user: string;
  readonly ttlMs: number;
  /** The generation of the answer; a deletion of the generation deletes the answer. */
  readonly generationId: string;
  /**
   * Called after the answer's place exists and before any of its text is written. A caller that forbids the storing and
   * deletes after that has deleted the answer for good: a late write finds no place.
   * @returns false if the answer must not be stored.
   */
  mayStore(): Promise<boolean>;
}

export interface AnswerCache {
  /** @param noteJudge without it no judge is asked. */
  lookUp(question: CacheQuestion, limits: LookUpLimits, noteJudge?: NoteJudge): Promise<CacheLookUp>;
  /**
   * The last fallback, when no provider answers: the newest stored answer of the tenant to exactly this question, of
   * any age and model; else an answer to a similar question, as a look-up finds it. Clients see it as degraded, with
   * its age and similarity.
   */
  lookUpBest(question: CacheQuestion, acceptedFalseHits: number): Promise<CacheLookUp>;
  /**
   * Stores a whole answer (`finishReason: 'stop'`). Idempotent: an answer to the same question is overwritten.
   * @returns false if the answer must not be stored.
   */
  store(question: CacheQuestion, answer: AnswerToStore): Promise<boolean>;
  /** Stores the answer and removes every answer that a look-up with these limits would have found. */
  replace(question: CacheQuestion, answer: AnswerToStore, limits: LookUpLimits): Promise<boolean>;
  /** Loads the models that the first look-up would wait for. */
  warmUp(): Promise<void>;
}

/** The entries to delete. */
export type DeletedEntries =
  | { readonly tenant: string }
  | { readonly tenant: string; readonly user: string }
  | { readonly tenant: string; readonly generationId: string }
  | {
      readonly tenant: string;
      readonly user?: string | undefined;
      readonly entryId: string;
      /** Only if it was stored by then; ms since 1970. */
      readonly storedUntilMs?: number;
    };

export interface AnswerDeletion {
  /** @returns how many entries were deleted. */
  delete(entries: DeletedEntries): Promise<number>;
}

/** The stored answers of a user, for an erasure. */
export interface UserAnswers {
  /**
   * Deletes what was stored until then.
   * @param onFound called with names of answers before they are deleted. @returns how many it has found
   */
  erase(
    owner: { readonly tenant: string; readonly user: string; readonly untilMs: number },
    onFound: (ids: readonly string[]) => Promise<void>,
  ): Promise<number>;
}
