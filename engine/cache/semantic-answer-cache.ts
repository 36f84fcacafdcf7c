/**
 * The answer cache: the same question first, by its id; then the nearest ones, each of which a verifier must accept.
 * What costs time is skipped where it cannot help: a partition without answers is never embedded for.
 */
import { createHash } from 'node:crypto';
import { TooLate, withTimeout } from '../../platform/with-timeout.ts';
import { EMBEDDED_CHARS, type Embedder } from '../embedding/embedder.ts';
import type {
  AnswerCache,
  CachedAnswer,
  CacheLookUp,
  CacheQuestion,
  LookUpLimits,
  NoteJudge,
} from './answer-cache.ts';
import { cacheKey, partitionOf, pointId, questionKey, userTexts } from './cache-key.ts';
import type { Judge } from './judge.ts';
import type { Neighbour, QdrantAnswers, Scope, StoredAnswer } from './qdrant-answers.ts';
import type { QuestionVerifier } from './question-verifier.ts';

/** Neighbours that the verifier looks at. */
const MOST_NEIGHBOURS = 16;
/** Entries that one `replace` may put aside. */
const MOST_REPLACED = 32;
/** A longer conversation is found by the same words only: no small model can vouch for so much. */
export const COMPARED_CHARS = 4_000;
const SWEEP_EVERY_MS = 60_000;

export interface SemanticAnswerCacheParts {
  readonly answers: QdrantAnswers;
  /** Absent: only the same question is found. */
  readonly embedder: Embedder | null;
  readonly verifier: QuestionVerifier;
  readonly judge: Judge | null;
  /** Qdrant's part of a look-up; what takes longer is given up. */
  readonly timeoutMs: number;
}

export function createSemanticAnswerCache(parts: SemanticAnswerCacheParts): AnswerCache {
  const { answers, embedder, verifier, timeoutMs } = parts;
  let sweptAtMs = 0;

  const store: AnswerCache['store'] = async (question, { ttlMs, generationId, mayStore, ...answer }) => {
    if (answer.finishReason !== 'stop') throw new Error('Only a whole answer may be stored.');
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
      signature: await signatureOf(verifier, questions, question.tenant),
      expiresAtMs: answer.storedAtMs + ttlMs,
    };
    const vector =
      embedder === null || !isComparable(questions)
        ? null
        : await embedder.embed(embeddedText(questions), question.tenant);
    const place = await answers.makePlace(pointId(key), stored, vector);
    if (!(await mayStore())) {
      await answers.removePlace(place);
      return false;
    }
    await answers.fill(place, stored);
    if (Date.now() - sweptAtMs > SWEEP_EVERY_MS) {
      sweptAtMs = Date.now();
      await answers.deleteExpired(Date.now());
    }
    return true;
  };

  return {
    store,

    async lookUp(question, limits, noteJudge) {
      try {
        return await lookUp(parts, question, limits, noteJudge);
      } catch (error) {
        return {
          outcome: 'unavailable',
          reason: error instanceof Error ? error.message : 'The cache failed.',
        };
      }
    },

    async lookUpBest(question, threshold) {
      try {
        const best = await answers.newest(question.tenant, questionKey(question));
        if (best !== null) return { outcome: 'hit', answer: toAnswer(best.id, best.stored, 1) };
        return await lookUp(parts, question, { threshold, maxAgeMs: null, judge: false });
      } catch (error) {
        return {
          outcome: 'unavailable',
          reason: error instanceof Error ? error.message : 'The cache failed.',
        };
      }
    },

    async replace(question, answer, limits) {
      if (!(await store(question, answer))) return false;
      const questions = userTexts(question);
      if (embedder === null || !isComparable(questions)) return true;
      const vector = await embedder.embed(embeddedText(questions), question.tenant);
      const scope = {
        ...scopeOf(question, { maxAgeMs: null }),
        signature: await signatureOf(verifier, questions, question.tenant),
      };
      const own = pointId(cacheKey(question));
      const near = await answers.near(scope, vector, limits.threshold, MOST_REPLACED);
      const others = near.filter(({ id }) => id !== own);
      const agreements = await compareWith(verifier, question, others);
      await answers.remove(others.filter((_, at) => agreements[at] === 'same').map(({ id }) => id));
      return true;
    },

    async warmUp() {
      await Promise.all([
        embedder?.warmUp(),
        verifier.warmUp(),
        withTimeout('Qdrant', timeoutMs, answers.get(pointId('0'.repeat(64)))).catch(() => null),
      ]);
    },
  };
}

async function lookUp(
  { answers, embedder, verifier, judge, timeoutMs }: SemanticAnswerCacheParts,
  question: CacheQuestion,
  limits: LookUpLimits,
  noteJudge?: NoteJudge,
): Promise<CacheLookUp> {
  const deadline = Date.now() + timeoutMs;
  const fromQdrant = <Value>(work: Promise<Value>) =>
    withTimeout(`Qdrant`, deadline - Date.now(), work).catch(late(timeoutMs));
  const key = cacheKey(question);
  const id = pointId(key);
  const own = scopeOf(question, limits);
  const questions = userTexts(question);
  const scopeOfNear = async (): Promise<Scope | null> => {
    if (embedder === null || !isComparable(questions)) return null;
    const scope = { ...own, signature: await signatureOf(verifier, questions, question.tenant) };
    return (await fromQdrant(answers.hasAny(scope))) ? scope : null;
  };
  // The same words need no verifier, so they do not wait for it.
  const finding = scopeOfNear();
  finding.catch(() => undefined);
  const exact = await fromQdrant(answers.get(id));
  if (exact !== null && exact.key === key && isUsable(exact, question, own)) {
    return { outcome: 'hit', answer: toAnswer(id, exact, 1) };
  }
  const scope = await finding;
  if (scope === null || embedder === null) return { outcome: 'miss' };
  const vector = await withTimeout(
    'the embedder',
    embedder.timeoutMs,
    embedder.embed(embeddedText(questions), question.tenant),
  );
  // The embedder's time is its own: Qdrant has what it had left.
  const searchUntil = Date.now() + timeoutMs;
  const search = <Value>(work: Promise<Value>) =>
    withTimeout('Qdrant', searchUntil - Date.now(), work).catch(late(timeoutMs));
  const near = await search(answers.near(scope, vector, limits.threshold, MOST_NEIGHBOURS));
  const take = async ({ id: theirs, similarity }: Neighbour): Promise<CachedAnswer | null> => {
    const stored = await withTimeout('Qdrant', timeoutMs, answers.get(theirs));
    return stored !== null && isUsable(stored, question, scope) ? toAnswer(theirs, stored, similarity) : null;
  };
  const agreements = await compareWith(verifier, question, near);
  for (const neighbour of near.filter((_, at) => agreements[at] === 'same')) {
    const answer = await take(neighbour);
    if (answer !== null) return { outcome: 'hit', answer };
  }
  const doubtful = near.find((_, at) => agreements[at] === 'unsure');
  const mayJudge = judge !== null && limits.judge && noteJudge !== undefined;
  if (!mayJudge || doubtful === undefined) return { outcome: 'miss' };
  const judgement = await judge.judge(questions, doubtful.questions, noteJudge);
  if (judgement === null) return { outcome: 'miss' };
  // Whatever Qdrant does now, the judge is paid.
  const answer = judgement.same ? await take(doubtful).catch(() => null) : null;
  return answer === null ? { outcome: 'miss', judgement } : { outcome: 'hit', answer, judgement };
}

/** The time that is left is nobody's news; the limit is. */
function late(timeoutMs: number) {
  return (error: unknown): never => {
    if (error instanceof TooLate) {
      throw new Error(`Qdrant did not answer within ${timeoutMs} ms`);
    }
    throw error;
  };
}

function compareWith(verifier: QuestionVerifier, question: CacheQuestion, near: readonly Neighbour[]) {
  return verifier.compare(
    userTexts(question),
    near.map((one) => one.questions),
    question.tenant,
  );
}

/** The filter has said it all; the payload says it again before anyone's answer is given away. */
function isUsable(
  stored: StoredAnswer,
  question: CacheQuestion,
  { tenant, partition, storedAfterMs, nowMs }: OwnScope,
) {
  const { outputTokens, reasoningTokens } = stored.usage;
  return (
    stored.tenant === tenant &&
    stored.partition === partition &&
    stored.storedAtMs >= storedAfterMs &&
    stored.expiresAtMs > nowMs &&
    outputTokens + reasoningTokens <= question.input.maxOutputTokens
  );
}

/** What an answer to the same words must be within. */
type OwnScope = Omit<Scope, 'signature'>;

function scopeOf(question: CacheQuestion, { maxAgeMs }: Pick<LookUpLimits, 'maxAgeMs'>): OwnScope {
  const nowMs = Date.now();
  const storedAfterMs = maxAgeMs === null ? 0 : nowMs - maxAgeMs;
  return { tenant: question.tenant, partition: partitionOf(question), storedAfterMs, nowMs };
}

export async function signatureOf(
  verifier: QuestionVerifier,
  questions: readonly string[],
  tenant?: string,
): Promise<string> {
  // Reading a text that is never compared would cost more than it tells.
  if (!isComparable(questions)) return '';
  return createHash('sha256')
    .update(await verifier.signatureOf(questions, tenant))
    .digest('hex');
}

function toAnswer(entryId: string, stored: StoredAnswer, similarity: number): CachedAnswer {
  const { text, provider, model, finishReason, usage, storedAtMs } = stored;
  return { text, provider, model, finishReason, usage, storedAtMs, entryId, similarity };
}

export function isComparable(questions: readonly string[]): boolean {
  const chars = questions.reduce((sum, question) => sum + question.length, 0);
  return chars > 0 && chars <= COMPARED_CHARS;
}

/** The whole conversation of the user; where it is long, its newest part. */
export function embeddedText(questions: readonly string[]): string {
  return questions.join('\n').slice(-EMBEDDED_CHARS);
}
