/**
 * The port to the answer cache. A miss is never an error: where the cache is down or slow, there is no hit. An answer
 * is found by the same question, or by one that a verifier says asks the same.
 */
import type { Candidate, FinishReason, GenerationInput } from '../../contracts/generation.ts';
import type { MicroUsd, Usage } from '../../contracts/money.ts';

export interface CacheQuestion {
  readonly tenant: string;
  /** Only answers to this user count, and only this user is given the answer; null: all users of the tenant share. */
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
  /** What the answer cost when it was generated. */
  readonly usage: Usage;
  readonly storedAtMs: number;
  /** Names the stored entry: it can be deleted by this. */
  readonly entryId: string;
  /** Cosine of the two questions; 1 for the same one. */
  readonly similarity: number;
}

/** How near a question must be and how old an answer may be; settings of the route, narrowed by the request. */
export interface LookUpLimits {
  /** Below this cosine nothing is looked at. */
  readonly threshold: number;
  readonly maxAgeMs: number | null;
  /** Whether a judge is asked where the verifier is unsure. */
  readonly judge: boolean;
}

/** What a judge said and cost; it is paid by the generation that asked. */
export interface Judgement {
  readonly provider: string;
  readonly model: string;
  readonly same: boolean;
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

/**
 * Puts a judge's call on record, as estimated, before it leaves: a process that dies before the judgement is on record has
 * called all the same.
 * @returns false where such a call is on record already: it is not made again.
 */
export type NoteJudge = (call: Omit<Judgement, 'same'>) => Promise<boolean>;

export type CacheLookUp = { readonly judgement?: Judgement } & (
  | { readonly outcome: 'hit'; readonly answer: CachedAnswer }
  | { readonly outcome: 'miss' }
  /** The cache did not answer in time; the generation goes on without it, and says so. */
  | { readonly outcome: 'unavailable'; readonly reason: string }
);

export interface AnswerToStore extends Omit<CachedAnswer, 'similarity' | 'entryId'> {
  /** Whose generation it was; entries can be deleted by user. */
  readonly user: string;
  readonly ttlMs: number;
  /** Whose answer it is: it is deleted with its generation. */
  readonly generationId: string;
  /**
   * Asked once its place is made and before anything of its text is written. Whoever forbids it and deletes after that
   * has deleted it for good: a write that is late finds no place.
   * @returns false where it must not be stored.
   */
  mayStore(): Promise<boolean>;
}

export interface AnswerCache {
  /** @param noteJudge without it no judge is asked. */
  lookUp(question: CacheQuestion, limits: LookUpLimits, noteJudge?: NoteJudge): Promise<CacheLookUp>;
  /**
   * The best stored answer of the same tenant for when nobody else answers: to this very question, of any age and by any
   * model; else to one that asks the same, as a look-up finds it. It is shown as degraded, with its age and similarity.
   */
  lookUpBest(question: CacheQuestion, threshold: number): Promise<CacheLookUp>;
  /**
   * Stores a complete answer (`finishReason: 'stop'`). Idempotent: the same question overwrites.
   * @returns false where it must not be stored.
   */
  store(question: CacheQuestion, answer: AnswerToStore): Promise<boolean>;
  /** Stores it in place of every answer that a look-up with these limits would take. */
  replace(question: CacheQuestion, answer: AnswerToStore, limits: LookUpLimits): Promise<boolean>;
  /** Loads what the first look-up would wait for. */
  warmUp(): Promise<void>;
}

/** Which entries are deleted. */
export type DeletedEntries =
  | { readonly tenant: string }
  | { readonly tenant: string; readonly user: string }
  | { readonly tenant: string; readonly generationId: string }
  | { readonly tenant: string; readonly entryId: string };

export interface AnswerDeletion {
  /** @returns how many entries were there. */
  delete(entries: DeletedEntries): Promise<number>;
}
