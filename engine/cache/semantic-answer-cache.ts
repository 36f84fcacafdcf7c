/**
 * The answer cache: first the same question, by its id; then the most similar ones, each of which a verifier must
 * accept. Expensive steps are skipped when they cannot help: nothing is embedded for a partition without answers.
 */
import type { CacheMatch } from '../../contracts/cache-mode.ts';
import { endingOf } from '../../contracts/ending.ts';
import { outputTokensOf } from '../../contracts/money.ts';
import { TooLate, withTimeout } from '../../platform/with-timeout.ts';
import type { Embedder } from '../embedding/embedder.ts';
import type {
  AnswerCache,
  AnswerToStore,
  CachedAnswer,
  CacheLookUp,
  CacheQuestion,
  LookUpLimits,
  NoteJudge,
} from './answer-cache.ts';
import { cacheKey, partitionOf, pointId, questionKey, userTexts } from './cache-key.ts';
import { embeddedText, isComparable, signatureOf } from './compared-text.ts';
import type { ComplaintReader } from './complaints.ts';
import type { Judge } from './judge.ts';
import { withoutQuarantined } from './objections.ts';
import type { Neighbour, QdrantAnswers, Scope, StoredAnswer } from './qdrant-answers.ts';
import type { Comparison, QuestionVerifier } from './question-verifier.ts';

/** Neighbours that the verifier compares. */
export const MOST_NEIGHBOURS = 16;
/** Entries that one `replace` may remove. */
const MOST_REPLACED = 32;
const SWEEP_EVERY_MS = 60_000;

interface SemanticAnswerCacheParts {
  readonly answers: QdrantAnswers;
  /** null: only the same question is found. */
  readonly embedder: Embedder | null;
  readonly verifier: QuestionVerifier;
  readonly judge: Judge | null;
  readonly complaints: ComplaintReader;
  /** Qdrant's part of a look-up; a look-up that takes longer ends as unavailable. */
  readonly timeoutMs: number;
}

/** What an answer to the same words must match. */
type OwnScope = Omit<Scope, 'signature'>;

/** A stored question that a look-up has accepted, or that a judge decides on. */
interface Match extends Pick<Neighbour, 'id' | 'similarity'> {
  readonly matchedBy: CacheMatch;
  readonly probability?: number | undefined;
}

export class SemanticAnswerCache implements AnswerCache {
  readonly #answers: QdrantAnswers;
  readonly #embedder: Embedder | null;
  readonly #verifier: QuestionVerifier;
  readonly #judge: Judge | null;
  readonly #complaints: ComplaintReader;
  readonly #timeoutMs: number;
  #sweptAtMs = 0;

  constructor({ answers, embedder, verifier, judge, complaints, timeoutMs }: SemanticAnswerCacheParts) {
    this.#answers = answers;
    this.#embedder = embedder;
    this.#verifier = verifier;
    this.#judge = judge;
    this.#complaints = complaints;
    this.#timeoutMs = timeoutMs;
  }

  lookUp(question: CacheQuestion, limits: LookUpLimits, noteJudge?: NoteJudge): Promise<CacheLookUp> {
    return orUnavailable(this.#lookUp(question, limits, noteJudge));
  }

  lookUpBest(question: CacheQuestion, acceptedFalseHits: number): Promise<CacheLookUp> {
    const lookUpBest = async (): Promise<CacheLookUp> => {
      const newest = await this.#answers.newest(question.tenant, questionKey(question));
      if (newest !== null) {
        return { outcome: 'hit', answer: toAnswer(newest.stored, sameWords(newest.id), question) };
      }
      return this.#lookUp(question, { acceptedFalseHits, maxAgeMs: null, judge: false });
    };
    return orUnavailable(lookUpBest());
  }

  async store(question: CacheQuestion, answerToStore: AnswerToStore): Promise<boolean> {
    const { ttlMs, generationId, mayStore, ...answer } = answerToStore;
    if (answer.finishReason !== 'stop') throw new Error('Only a whole answer may be stored.');
    const answers = this.#answers;
    const key = cacheKey(question);
    const questions = userTexts(question);
    const stored: StoredAnswer = {
      ...answer,
      generation: generationId,
      tenant: question.tenant,
      partition: partitionOf(question),
      key,
      questions,
      question: questionKey(question),
      signature: await signatureOf(this.#verifier, questions, question.tenant),
      expiresAtMs: answer.storedAtMs + ttlMs,
    };
    const vector =
      this.#embedder === null || !isComparable(questions)
        ? null
        : await this.#embedder.embed(embeddedText(questions), question.tenant);
    const place = await answers.makePlace(pointId(key), stored, vector);
    if (!(await mayStore())) {
      await answers.removePlace(place);
      return false;
    }
    await answers.fill(place, stored);
    await this.#sweep();
    return true;
  }

  async replace(question: CacheQuestion, answer: AnswerToStore, limits: LookUpLimits): Promise<boolean> {
    if (!(await this.store(question, answer))) return false;
    const questions = userTexts(question);
    if (this.#embedder === null || !isComparable(questions)) return true;
    const vector = await this.#embedder.embed(embeddedText(questions), question.tenant);
    const scope = {
      ...scopeOf(question, { maxAgeMs: null }),
      signature: await signatureOf(this.#verifier, questions, question.tenant),
    };
    const own = pointId(cacheKey(question));
    const near = await this.#answers.near(scope, vector, this.#embedder.leastSimilarity, MOST_REPLACED);
    const others = near.filter(({ id }) => id !== own);
    const compared = await this.#compare(question, others, { ...limits, all: true });
    const replaced = others.filter((_, at) => compared[at]?.agreement === 'same');
    await this.#answers.remove(replaced.map(({ id }) => id));
    return true;
  }

  async warmUp(): Promise<void> {
    const anyId = pointId('0'.repeat(64));
    await Promise.all([
      this.#embedder?.warmUp(),
      this.#verifier.warmUp(),
      withTimeout('Qdrant', this.#timeoutMs, this.#answers.get(anyId)).catch(() => null),
    ]);
  }

  async #lookUp(question: CacheQuestion, limits: LookUpLimits, noteJudge?: NoteJudge): Promise<CacheLookUp> {
    const untilMs = Date.now() + this.#timeoutMs;
    const key = cacheKey(question);
    const own = scopeOf(question, limits);
    // The same words need no verifier, so they do not wait for it.
    const searchingScope = this.#scopeWithAnswers(question, own, untilMs);
    searchingScope.catch(() => undefined);
    const exact = await this.#within(untilMs, this.#answers.get(pointId(key)));
    if (exact !== null && exact.key === key && isUsable(exact, question, own)) {
      return { outcome: 'hit', answer: toAnswer(exact, sameWords(pointId(key)), question) };
    }
    const scope = await searchingScope;
    if (scope === null || this.#embedder === null) return { outcome: 'miss' };
    const near = await this.#searchNear(this.#embedder, question, scope);
    const { same, unsure, refused } = await this.#accept(question, near, {
      ...limits,
      leastSimilarity: this.#embedder.leastSimilarity,
    });
    for (const { id, similarity, probability } of same) {
      const matchedBy = probability === undefined ? 'rules' : 'model';
      // The same words are found here if they were stored after the look-up above.
      const match: Match = id === pointId(key) ? sameWords(id) : { id, similarity, matchedBy, probability };
      const answer = await this.#take(match, question, scope);
      if (answer !== null) return { outcome: 'hit', answer };
    }
    if (unsure === undefined || !limits.judge || noteJudge === undefined) {
      return { outcome: 'miss', ...(refused === 0 ? {} : { refused }) };
    }
    return this.#askJudge(unsure, question, scope, noteJudge);
  }

  /** What the verifier and the complaints leave. Complaints are read while the verifier works, so they take no time. */
  async #accept(
    question: CacheQuestion,
    near: readonly Neighbour[],
    limits: Pick<LookUpLimits, 'acceptedFalseHits'> & { readonly leastSimilarity: number },
  ) {
    const ids = near.map(({ id }) => id);
    const [compared, complaints] = await Promise.all([
      this.#compare(question, near, limits),
      withTimeout('Redis', this.#timeoutMs, this.#complaints.of(question.tenant, ids)),
    ]);
    const found = near.map((neighbour, at) => ({ ...neighbour, ...compared[at] }));
    const accepted = found.filter(({ agreement }) => agreement === 'same');
    const bounds = { acceptedFalseHits: limits.acceptedFalseHits, complaints };
    const allowed = await withoutQuarantined(this.#verifier, question, accepted, bounds);
    const same = allowed.filter(
      ({ similarity, requiredFrom }) => similarity >= requiredFrom(limits.leastSimilarity),
    );
    // A judge would be the next to be wrong about an entry with complaints.
    const unsure = found.find(({ id, agreement }) => agreement === 'unsure' && !complaints.has(id));
    return { same, unsure, refused: accepted.length - same.length };
  }

  /** The scope of a similar answer; null if nothing in the partition could be similar. */
  async #scopeWithAnswers(question: CacheQuestion, own: OwnScope, untilMs: number): Promise<Scope | null> {
    const questions = userTexts(question);
    if (this.#embedder === null || !isComparable(questions)) return null;
    const scope = { ...own, signature: await signatureOf(this.#verifier, questions, question.tenant) };
    return (await this.#within(untilMs, this.#answers.hasAny(scope))) ? scope : null;
  }

  async #searchNear(
    embedder: Embedder,
    question: CacheQuestion,
    scope: Scope,
  ): Promise<readonly Neighbour[]> {
    const embedding = embedder.embed(embeddedText(userTexts(question)), question.tenant);
    const vector = await withTimeout('the embedder', embedder.timeoutMs, embedding);
    // The embedder has its own time limit, so Qdrant's starts again.
    const untilMs = Date.now() + this.#timeoutMs;
    const near = this.#answers.near(scope, vector, embedder.leastSimilarity, MOST_NEIGHBOURS);
    return this.#within(untilMs, near);
  }

  async #askJudge(
    { id, similarity, questions }: Neighbour,
    question: CacheQuestion,
    scope: Scope,
    noteJudge: NoteJudge,
  ): Promise<CacheLookUp> {
    const judgement = await this.#judge?.judge(userTexts(question), questions, noteJudge);
    if (judgement === undefined || judgement === null) return { outcome: 'miss' };
    // The judge must be paid even if Qdrant fails now.
    const match: Match = { id, similarity, matchedBy: 'judge' };
    const answer = judgement.same ? await this.#take(match, question, scope).catch(() => null) : null;
    return answer === null ? { outcome: 'miss', judgement } : { outcome: 'hit', answer, judgement };
  }

  async #take(match: Match, question: CacheQuestion, scope: Scope): Promise<CachedAnswer | null> {
    const stored = await withTimeout('Qdrant', this.#timeoutMs, this.#answers.get(match.id));
    return stored !== null && isUsable(stored, question, scope) ? toAnswer(stored, match, question) : null;
  }

  #compare(
    question: CacheQuestion,
    near: readonly Neighbour[],
    { acceptedFalseHits, all = false }: Pick<LookUpLimits, 'acceptedFalseHits'> & { readonly all?: boolean },
  ): Promise<readonly Comparison[]> {
    return this.#verifier.compare(
      userTexts(question),
      near.map(({ questions }) => questions),
      { tenant: question.tenant, acceptedFalseHits, all },
    );
  }

  /** Bounds a part of a look-up. The error names the limit of the whole look-up and not the time that was left. */
  async #within<Value>(untilMs: number, work: Promise<Value>): Promise<Value> {
    try {
      return await withTimeout('Qdrant', untilMs - Date.now(), work);
    } catch (error) {
      // On a busy machine the client's limit, a little longer, may be noticed first.
      if (!(error instanceof TooLate) && Date.now() < untilMs) throw error;
      throw new TooLate(`Qdrant did not answer within ${this.#timeoutMs} ms`, { cause: error });
    }
  }

  async #sweep(): Promise<void> {
    const nowMs = Date.now();
    if (nowMs - this.#sweptAtMs <= SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    await this.#answers.deleteExpired(nowMs);
  }
}

async function orUnavailable(lookUp: Promise<CacheLookUp>): Promise<CacheLookUp> {
  try {
    return await lookUp;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'The cache failed.';
    return { outcome: 'unavailable', reason };
  }
}

/** The filter has checked all of this; the payload is checked again before any answer is given away. */
function isUsable(
  stored: StoredAnswer,
  question: CacheQuestion,
  { tenant, partition, storedAfterMs, nowMs }: OwnScope,
): boolean {
  return (
    stored.tenant === tenant &&
    stored.partition === partition &&
    stored.storedAtMs >= storedAfterMs &&
    stored.expiresAtMs > nowMs &&
    (question.input.capFrom === 'default' || outputTokensOf(stored.usage) <= question.input.maxOutputTokens)
  );
}

function scopeOf(question: CacheQuestion, { maxAgeMs }: Pick<LookUpLimits, 'maxAgeMs'>): OwnScope {
  const nowMs = Date.now();
  const storedAfterMs = maxAgeMs === null ? 0 : nowMs - maxAgeMs;
  return { tenant: question.tenant, partition: partitionOf(question), storedAfterMs, nowMs };
}

function toAnswer(
  stored: StoredAnswer,
  { id, similarity, matchedBy, probability }: Match,
  question: CacheQuestion,
): CachedAnswer {
  const { text, provider, model, finishReason, stopSequence, usage, storedAtMs } = stored;
  const answer = { text, provider, model, finishReason, ...endingOf({ stopSequence }), usage, storedAtMs };
  return {
    ...answer,
    entryId: id,
    questionId: pointId(cacheKey(question)),
    similarity,
    matchedBy,
    ...(probability === undefined ? {} : { probability }),
  };
}

function sameWords(id: string): Match {
  return { id, similarity: 1, matchedBy: 'same-words' };
}
