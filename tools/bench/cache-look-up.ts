/** Look-ups among many stored answers of one partition: the worst case, as each tenant and prompt has its own. */
import { QdrantClient } from '@qdrant/js-client-rest';
import { NO_USAGE } from '../../contracts/money.ts';
import { DAY_MS, HOUR_MS } from '../../contracts/time.ts';
import type { CacheQuestion } from '../../engine/cache/answer-cache.ts';
import { cacheKey, partitionOf, pointId, userTexts } from '../../engine/cache/cache-key.ts';
import { embeddedText, signatureOf } from '../../engine/cache/compared-text.ts';
import { collectionName, QdrantAnswers, type StoredAnswer } from '../../engine/cache/qdrant-answers.ts';
import { SemanticAnswerCache } from '../../engine/cache/semantic-answer-cache.ts';
import { createThreadedVerifier } from '../../engine/cache/threaded-verifier.ts';
import type { Embedder } from '../../engine/embedding/embedder.ts';
import { createLocalEmbedder } from '../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../engine/embedding/sentence-encoder.ts';
import { createRandom, type Random } from '../../test/harness/random.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { summary } from './cache-summary.ts';

const LOOK_UPS = 200;
const BATCH = 1_000;
const PATIENT_MS = 60_000;
/** A million vectors are indexed within this. */
const INDEX_MS = 3 * HOUR_MS;
const limits = { acceptedFalseHits: 0.01, maxAgeMs: null, judge: false };

/** In the words of a stored question, in others, and about what nobody has asked. */
const WORDS = {
  stored: (name: string) => `How do I return the widget ${name}?`,
  other: (name: string) => `What is the way to return a widget ${name}?`,
  unknown: (name: string) => `Why do whales sing near ${name}?`,
};

interface Bench {
  readonly raw: QdrantClient;
  readonly embedder: Embedder;
  readonly answers: QdrantAnswers;
  readonly cache: SemanticAnswerCache;
  readonly random: Random;
  /** The same for all questions, so that the filter takes nothing away: the worst case. */
  readonly signature: string;
}

type Row = Record<string, number | string>;

export async function benchLookUps(url: string, sizes: readonly number[]): Promise<void> {
  // The limits are off: what is measured is how often they would have been crossed.
  const embedder = { ...createLocalEmbedder(new SentenceEncoder()), timeoutMs: PATIENT_MS };
  const answers = new QdrantAnswers({ url, embedder, timeoutMs: PATIENT_MS });
  const verifier = createThreadedVerifier({ waitMs: PATIENT_MS, compareMs: PATIENT_MS, runMs: PATIENT_MS });
  const complaints = { of: async () => new Map() };
  const parts = { answers, embedder, verifier, judge: null, complaints, timeoutMs: PATIENT_MS };
  const cache = new SemanticAnswerCache(parts);
  const raw = new QdrantClient({ url, timeout: PATIENT_MS, checkCompatibility: false });
  await cache.warmUp();
  const first = questionOf(WORDS.stored, 0);
  const signature = await signatureOf(verifier, userTexts(first));
  const bench = { raw, embedder, answers, cache, random: createRandom(1), signature };
  // Makes the collection as the product does.
  const stored = storedOf(first, signature);
  await answers.fill(await answers.makePlace(pointId(cacheKey(first)), stored, null), stored);
  const rows: Record<string, Row> = {};
  let filled = 0;
  for (const size of sizes) {
    await grow(bench, filled, size);
    filled = size;
    Object.assign(rows, await measure(bench, size));
  }
  console.log(`Look-ups among stored answers of one partition, ${LOOK_UPS} a row, one at a time`);
  console.table(rows);
  printGrowth(rows, sizes);
  await Promise.all([embedder.close(), verifier.close()]);
}

async function grow(bench: Bench, from: number, to: number): Promise<void> {
  const { raw, embedder } = bench;
  const collection = collectionName(embedder.name);
  const begunAt = performance.now();
  // Indexed once, when all are there: by and by, each part would be indexed several times.
  await raw.updateCollection(collection, { optimizers_config: { indexing_threshold: 0 } });
  await fill(bench, from, to);
  await raw.updateCollection(collection, { optimizers_config: { indexing_threshold: 10_000 } });
  await waitFor('the collection is indexed', () => isIndexed(raw, collection), INDEX_MS);
  console.log(`${to} answers stored and indexed in ${Math.round((performance.now() - begunAt) / 1_000)} s`);
}

async function measure({ cache, answers, embedder, random, signature }: Bench, size: number) {
  const asking = (words: (name: string) => string) =>
    Array.from({ length: LOOK_UPS }, (_, index) => questionOf(words, index));
  const lookUp = async (question: CacheQuestion) => (await cache.lookUp(question, limits)).outcome === 'hit';
  const search = async (question: CacheQuestion) => {
    const { tenant } = question;
    const scope = {
      tenant,
      partition: partitionOf(question),
      storedAfterMs: 0,
      nowMs: Date.now(),
      signature,
    };
    await answers.near(scope, unitVector(embedder.dimensions, random), embedder.leastSimilarity, 16);
    return false;
  };
  return {
    [`${size}: same words`]: await rowOf(asking(WORDS.stored), lookUp),
    [`${size}: other words, with candidates`]: await rowOf(asking(WORDS.other), lookUp),
    [`${size}: nothing similar`]: await rowOf(asking(WORDS.unknown), lookUp),
    [`${size}: the search alone`]: await rowOf(asking(WORDS.stored), search),
  };
}

async function rowOf(
  questions: readonly CacheQuestion[],
  look: (question: CacheQuestion) => Promise<boolean>,
): Promise<Row> {
  const times: number[] = [];
  let hits = 0;
  for (const question of questions) {
    const begunAt = performance.now();
    if (await look(question)) hits += 1;
    times.push(performance.now() - begunAt);
  }
  return { ...summary(times), hits };
}

/** How the median grows when the number of answers does. */
function printGrowth(rows: Readonly<Record<string, Row>>, sizes: readonly number[]): void {
  for (const [at, size] of sizes.entries()) {
    const before = sizes[at - 1];
    if (before === undefined) continue;
    for (const [name, row] of Object.entries(rows)) {
      const [own, what] = name.split(': ');
      const earlier = rows[`${before}: ${what}`];
      if (own !== String(size) || earlier === undefined) continue;
      const times = Number(row['median ms']) / Number(earlier['median ms']);
      console.log(`${what}: ${before} to ${size} answers, the median is ${times.toFixed(2)} times as long`);
    }
  }
}

async function fill(bench: Bench, from: number, to: number): Promise<void> {
  const { raw, embedder, random, signature } = bench;
  for (let first = from; first < to; first += BATCH) {
    const points = [];
    for (let index = first; index < Math.min(to, first + BATCH); index += 1) {
      const question = questionOf(WORDS.stored, index);
      // Those that are asked for have their own vectors.
      const vector =
        index < LOOK_UPS
          ? await embedder.embed(embeddedText(userTexts(question)))
          : unitVector(embedder.dimensions, random);
      const payload = { ...storedOf(question, signature) };
      points.push({ id: pointId(cacheKey(question)), vector: { question: vector }, payload });
    }
    await raw.upsert(collectionName(embedder.name), { wait: true, points });
  }
}

function questionOf(words: (name: string) => string, index: number): CacheQuestion {
  return {
    tenant: 'bench',
    onlyUser: null,
    candidates: [{ provider: 'simulated', model: 'sim-large' }],
    input: {
      messages: [{ role: 'user', content: words(nameOf(index)) }],
      maxOutputTokens: 1_000,
    },
  };
}

/** Letters, not digits: a number would tell the question from all others before the search. */
function nameOf(index: number): string {
  return `w${index.toString(36).replace(/\d/g, (digit) => 'klmnopqrst'[Number(digit)] ?? '')}x`;
}

function storedOf(question: CacheQuestion, signature: string): StoredAnswer {
  const storedAtMs = Date.now();
  return {
    tenant: question.tenant,
    user: 'bench',
    partition: partitionOf(question),
    key: cacheKey(question),
    question: cacheKey(question),
    questions: userTexts(question),
    signature,
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
  // A quantised number has fewer digits; more would only be sent.
  return vector.map((value) => Math.round((value / length) * 1e4) / 1e4);
}

async function isIndexed(raw: QdrantClient, collection: string): Promise<boolean> {
  const { status, optimizer_status: optimizer } = await raw.getCollection(collection);
  return status === 'green' && optimizer === 'ok';
}
