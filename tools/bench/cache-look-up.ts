/** Lookups among many stored answers of one partition: the worst case, as each tenant and prompt has its own. */
import { QdrantClient } from '@qdrant/js-client-rest';
import { DEFAULTS } from '../../contracts/limits.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import type { CacheQuestion } from '../../engine/cache/answer-cache.ts';
import { cacheKey, partitionOf, pointId, userTexts } from '../../engine/cache/cache-key.ts';
import { signatureOf } from '../../engine/cache/compared-text.ts';
import { collectionName, QdrantAnswers, type StoredAnswer } from '../../engine/cache/qdrant-answers.ts';
import type { QuestionVerifier } from '../../engine/cache/question-verifier.ts';
import { SemanticAnswerCache } from '../../engine/cache/semantic-answer-cache.ts';
import { createThreadedVerifier } from '../../engine/cache/threaded-verifier.ts';
import type { Embedder } from '../../engine/embedding/embedder.ts';
import { createLocalEmbedder } from '../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../engine/embedding/sentence-encoder.ts';
import { createRandom, type Random } from '../../test/harness/random.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { summary } from './cache-summary.ts';

const LOOK_UPS = 200;
// The verifier lets 256 requests wait.
const BATCH = 200;
const PATIENT_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const limits = { threshold: 0.5, maxAgeMs: null, judge: false };

export async function benchLookUps(url: string, sizes: readonly number[]): Promise<void> {
  // The limits are off: what is measured is how often they would have been crossed.
  const embedder = { ...createLocalEmbedder(new SentenceEncoder()), timeoutMs: PATIENT_MS };
  const answers = new QdrantAnswers({ url, embedder, timeoutMs: PATIENT_MS });
  const verifier = createThreadedVerifier({ waitMs: PATIENT_MS, compareMs: PATIENT_MS, runMs: PATIENT_MS });
  const cache = new SemanticAnswerCache({
    answers,
    embedder,
    verifier,
    judge: null,
    timeoutMs: PATIENT_MS,
  });
  const raw = new QdrantClient({ url, timeout: PATIENT_MS, checkCompatibility: false });
  const random = createRandom(1);
  await cache.warmUp();
  // Makes the collection as the product does.
  const first = await storedOf(questionOf(-1), verifier);
  await answers.fill(await answers.makePlace(pointId(cacheKey(questionOf(-1))), first, null), first);
  const rows: Record<string, Record<string, number | string>> = {};
  let filled = 0;
  const collection = collectionName(embedder.name);
  for (const size of sizes) {
    const begunAt = performance.now();
    // Indexed once, when all are there: by and by, each part would be indexed several times.
    await raw.updateCollection(collection, { optimizers_config: { indexing_threshold: 0 } });
    await fill(raw, { embedder, verifier, random }, filled, size);
    await raw.updateCollection(collection, { optimizers_config: { indexing_threshold: 10_000 } });
    filled = size;
    await waitFor('the collection is indexed', () => isIndexed(raw, collection), 3_600_000);
    console.log(
      `${size} answers stored and indexed in ${Math.round((performance.now() - begunAt) / 1_000)} s`,
    );
    const asking = (offset: number) =>
      Array.from({ length: LOOK_UPS }, (_, index) => questionOf(offset + index));
    const same = await timesOf(asking(0), (question) => cache.lookUp(question, limits));
    const unknown = await timesOf(asking(10_000_000), (question) => cache.lookUp(question, limits));
    const scopeOf = async (question: CacheQuestion) => ({
      tenant: question.tenant,
      partition: partitionOf(question),
      storedAfterMs: 0,
      nowMs: Date.now(),
      signature: (await storedOf(question, verifier)).signature,
    });
    const search = await timesOf(asking(20_000_000), async (question) =>
      answers.near(await scopeOf(question), unitVector(embedder.dimensions, random), limits.threshold, 8),
    );
    const row = (times: readonly number[]) => ({
      ...summary(times),
      [`over ${DEFAULTS.cacheLookUpMs} ms`]: times.filter((time) => time > DEFAULTS.cacheLookUpMs).length,
    });
    rows[`${size}: same words (hit)`] = row(same);
    rows[`${size}: other words (miss), embedding included`] = row(unknown);
    rows[`${size}: the search alone`] = row(search);
  }
  console.log(`Look-ups among stored answers of one partition, ${LOOK_UPS} a row, one at a time`);
  console.table(rows);
  await Promise.all([embedder.close(), verifier.close()]);
}

async function timesOf<Value>(
  questions: readonly CacheQuestion[],
  look: (question: CacheQuestion) => Promise<Value>,
): Promise<number[]> {
  const times: number[] = [];
  for (const question of questions) {
    const begunAt = performance.now();
    await look(question);
    times.push(performance.now() - begunAt);
  }
  return times;
}

async function fill(
  raw: QdrantClient,
  { embedder, verifier, random }: { embedder: Embedder; verifier: QuestionVerifier; random: Random },
  from: number,
  to: number,
): Promise<void> {
  for (let first = from; first < to; first += BATCH) {
    const making = Array.from({ length: Math.min(BATCH, to - first) }, async (_, index) => {
      const question = questionOf(first + index);
      return {
        id: pointId(cacheKey(question)),
        vector: { question: unitVector(embedder.dimensions, random) },
        payload: { ...(await storedOf(question, verifier)) },
      };
    });
    const points = await Promise.all(making);
    await raw.upsert(collectionName(embedder.name), { wait: true, points });
  }
}

function questionOf(index: number): CacheQuestion {
  return {
    tenant: 'bench',
    onlyUser: null,
    candidates: [{ provider: 'simulated', model: 'sim-large' }],
    input: {
      messages: [{ role: 'user', content: `How do I return the widget ${nameOf(index)}?` }],
      maxOutputTokens: 1_000,
    },
  };
}

/** Letters, not digits: a number would tell the question from all others before the search. */
function nameOf(index: number): string {
  return `w${index.toString(36).replace(/\d/g, (digit) => 'klmnopqrst'[Number(digit)] ?? '')}x`;
}

async function storedOf(question: CacheQuestion, verifier: QuestionVerifier): Promise<StoredAnswer> {
  const storedAtMs = Date.now();
  return {
    tenant: question.tenant,
    user: 'bench',
    partition: partitionOf(question),
    key: cacheKey(question),
    question: cacheKey(question),
    questions: userTexts(question),
    // The same for all of them, so that the filter takes nothing away: the worst case.
    signature: await signatureOf(verifier, userTexts(question)),
    text: 'Take it back to where it came from. '.repeat(20),
    provider: 'simulated',
    model: 'sim-large',
    finishReason: 'stop',
    usage: NO_USAGE,
    storedAtMs,
    expiresAtMs: storedAtMs + DAY_MS,
  };
}

/** Vectors in all directions: no neighbours that are near, and so the hardest for the graph. */
function unitVector(dimensions: number, random: Random): number[] {
  const vector = Array.from({ length: dimensions }, () => random.between(-1_000, 1_000));
  const length = Math.hypot(...vector) || 1;
  // Six decimals are all that a float of this size has; more would only be sent.
  return vector.map((value) => Math.round((value / length) * 1e6) / 1e6);
}

async function isIndexed(raw: QdrantClient, collection: string): Promise<boolean> {
  const { status, optimizer_status: optimizer } = await raw.getCollection(collection);
  return status === 'green' && optimizer === 'ok';
}
