/**
 * What the semantic cache finds, and what it would give wrongly: pairs of prompts by authors that neither the model nor
 * the rules have seen, plain cosine and the rules of two other caches beside it, and a synthetic month of requests.
 */
import { embeddedText } from '../../../engine/cache/compared-text.ts';
import {
  readCalibration,
  type Thresholds,
  thresholdsOf,
} from '../../../engine/cache/pair-model/calibration.ts';
import type { Closeness } from '../../../engine/cache/pair-model/closeness.ts';
import { createLocalEmbedder } from '../../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../../engine/embedding/sentence-encoder.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { type AskedPrompt, askEach, sharesOf } from '../../../tools/cache-verifier/ask-each.ts';
import {
  closenessOfPair,
  createPairReader,
  type Decision,
  isHit,
  type PairReader,
} from '../../../tools/cache-verifier/decide-pairs.ts';
import { LookUps } from '../../../tools/cache-verifier/look-ups.ts';
import { percent, type Share, shown } from '../../../tools/cache-verifier/rates.ts';
import {
  isConversation,
  promptsOf,
  readPairs,
  type WrittenPair,
} from '../../../tools/cache-verifier/written-pairs.ts';
import { createRandom } from '../../harness/random.ts';
import { type FindAnswer, makeTraffic, playTraffic } from './traffic.ts';

const LEAST_FOUND = 0.65;
const LEAST_NEAR_REPEATS = 0.85;
const MOST_FALSE = 0.005;
/** RedisVL's SemanticCache by default: a cosine distance of at most 0.1. */
const REDISVL_COSINE = 0.9;
/** GPTCache by default: 0.8 of the rank of a squared distance of at most 4, which is a cosine of 0.6. */
const GPTCACHE_COSINE = 0.6;
const TRAFFIC = { repeatShare: 0.4, verbatimShare: 0.5 };

interface ReadPair extends WrittenPair {
  readonly decision: Decision;
  readonly logit: number | null;
  readonly closeness: Closeness;
  readonly cosine: number;
}

type Decide = (pair: ReadPair) => boolean;

/** Prints the tables. Resolves with whether the targets are met. */
export async function proveCache({ seed }: { readonly seed: number }): Promise<boolean> {
  const { acceptedFalseHits } = configSchema.parse({}).cache.default;
  const thresholds = thresholdsOf(readCalibration(), acceptedFalseHits);
  if (thresholds === null) throw new Error('the default accepts fewer false hits than the model guarantees');
  const reader = new ProofReader(await createPairReader());
  const report = await reader.read(readPairs('report'));
  const nearRepeats = await reader.read(readPairs('nearRepeats'));
  const cache: Decide = ({ decision, cosine }) =>
    cosine >= reader.leastSimilarity && isHit(decision, thresholds);
  console.log(
    `${report.length} pairs by ${new Set(report.map(({ author }) => author)).size} authors of whom nothing was used ` +
      `before. Accepted false hits ${percent(acceptedFalseHits)}: log-odds of ${thresholds.close.toFixed(2)} if they ` +
      `are close, ${thresholds.reworded.toFixed(2)} if they are reworded.`,
  );
  printBy('author', report, cache, ({ author }) => author);
  printBy('wording', report, cache, ({ closeness }) => closeness);
  printBy('form', report, cache, (pair) => (isConversation(pair) ? 'conversations' : 'single prompts'));
  printOthers(report, cache, thresholds);
  printKinds(report, cache);
  printBy('near repeats', nearRepeats, cache, ({ author }) => author);
  printBy('language', await reader.read(readPairs('languages')), cache, ({ author }) => author);
  const prompts = promptsOf(report);
  const lookUps = await LookUps.among(prompts);
  printQuestions(await askEach(lookUps, prompts, thresholds));
  await printTraffic(reader, lookUps, report, { thresholds, seed });
  printTime(reader.times);
  await Promise.all([reader.close(), lookUps.close()]);
  return meetsTargets(report, nearRepeats, cache);
}

function meetsTargets(report: readonly ReadPair[], nearRepeats: readonly ReadPair[], cache: Decide): boolean {
  const rates = ratesOf(report, cache);
  const repeats = ratesOf(nearRepeats, cache);
  const checks: [string, Share, (share: number) => boolean][] = [
    [`found, at least ${percent(LEAST_FOUND)}`, rates.found, (share) => share >= LEAST_FOUND],
    [`false, at most ${percent(MOST_FALSE)}`, rates.wrong, (share) => share <= MOST_FALSE],
    [
      `near repeats found, at least ${percent(LEAST_NEAR_REPEATS)}`,
      repeats.found,
      (share) => share >= LEAST_NEAR_REPEATS,
    ],
  ];
  const results = checks.map(([name, share, isMet]) => ({ name, share, met: isMet(share.hits / share.of) }));
  for (const { name, share, met } of results) console.log(`${name}: ${shown(share)}${met ? '' : ' MISSED'}`);
  return results.every(({ met }) => met);
}

/** Reads pairs by the parts of the product, and remembers what it has read. */
class ProofReader {
  readonly #embedder = createLocalEmbedder(new SentenceEncoder());
  readonly #vectors = new Map<string, number[]>();
  readonly #pairs: PairReader;
  /** Of the pairs that the model has read; ms. */
  readonly times: number[] = [];

  constructor(pairs: PairReader) {
    this.#pairs = pairs;
  }

  async read(pairs: readonly WrittenPair[]): Promise<ReadPair[]> {
    const read: ReadPair[] = [];
    for (const pair of pairs) {
      const decision = await this.decide(pair);
      const logit = decision.by === 'model' ? decision.logit : await this.#pairs.logitOf(pair);
      const [first, second] = [embeddedText(pair.first.usersTurns), embeddedText(pair.second.usersTurns)];
      await this.embed([first, second]);
      read.push({
        ...pair,
        decision,
        logit,
        closeness: closenessOfPair(pair),
        cosine: this.cosine(first, second),
      });
    }
    return read;
  }

  async decide(pair: Pick<WrittenPair, 'first' | 'second'>): Promise<Decision> {
    const beganAt = performance.now();
    const decision = await this.#pairs.decide(pair);
    if (decision.by === 'model') this.times.push(performance.now() - beganAt);
    return decision;
  }

  async embed(texts: readonly string[]): Promise<void> {
    for (const text of texts) {
      if (!this.#vectors.has(text)) this.#vectors.set(text, await this.#embedder.embed(text));
    }
  }

  get leastSimilarity(): number {
    return this.#embedder.leastSimilarity;
  }

  /** Of embedded texts. */
  cosine(first: string, second: string): number {
    const [a, b] = [this.#vectors.get(first) ?? [], this.#vectors.get(second) ?? []];
    return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  }

  /** A cache by cosine alone. */
  nearest(leastCosine: number): FindAnswer {
    return async (question, stored) => {
      const near = [...stored].map((text) => ({ text, cosine: this.cosine(question, text) }));
      const [nearest] = near
        .filter(({ cosine }) => cosine >= leastCosine)
        .sort((a, b) => b.cosine - a.cosine);
      return nearest?.text ?? null;
    };
  }

  close(): Promise<void> {
    return this.#embedder.close();
  }
}

function ratesOf(pairs: readonly ReadPair[], decide: Decide): { found: Share; wrong: Share } {
  const same = pairs.filter(({ kind }) => kind === null);
  const near = pairs.filter(({ kind }) => kind !== null);
  return {
    found: { hits: same.filter(decide).length, of: same.length },
    wrong: { hits: near.filter(decide).length, of: near.length },
  };
}

function rowOf(pairs: readonly ReadPair[], decide: Decide): Record<string, string> {
  const { found, wrong } = ratesOf(pairs, decide);
  return { 'paraphrases found': shown(found), 'false hits': shown(wrong) };
}

function printBy(
  what: string,
  pairs: readonly ReadPair[],
  decide: Decide,
  keyOf: (pair: ReadPair) => string,
): void {
  console.log(`By ${what}, with 95 % intervals`);
  const rows = [...Map.groupBy(pairs, keyOf)].map(([key, own]) => [key, rowOf(own, decide)]);
  console.table(Object.fromEntries([...rows, ['all', rowOf(pairs, decide)]]));
}

function printOthers(report: readonly ReadPair[], cache: Decide, thresholds: Thresholds): void {
  console.log('Other ways to decide about the same pairs');
  console.table({
    'the cache': rowOf(report, cache),
    'the rules alone': rowOf(report, ({ decision }) => isSameByRules(decision)),
    'the model alone': rowOf(
      report,
      ({ logit, closeness }) => logit !== null && logit >= thresholds[closeness],
    ),
    [`RedisVL's default, cosine ${REDISVL_COSINE}`]: rowOf(report, ({ cosine }) => cosine >= REDISVL_COSINE),
    'plain cosine 0.8': rowOf(report, ({ cosine }) => cosine >= 0.8),
    [`GPTCache's default, cosine ${GPTCACHE_COSINE}`]: rowOf(
      report,
      ({ cosine }) => cosine >= GPTCACHE_COSINE,
    ),
  });
}

/** With `cache.verifier: rules`, what they align is the same. */
function isSameByRules(decision: Decision): boolean {
  return decision.by === 'model' ? decision.kind === 'aligned' : decision.same;
}

function printKinds(report: readonly ReadPair[], cache: Decide): void {
  console.log('Near misses by what differs, and what rejects them');
  const near = report.filter(({ kind }) => kind !== null);
  const rows = [...Map.groupBy(near, ({ kind }) => kind ?? '')].sort().map(([kind, own]) => {
    const rejectedBy = (by: Decision['by']) =>
      own.filter((pair) => pair.decision.by === by && !cache(pair)).length;
    return [
      kind,
      {
        pairs: own.length,
        filter: rejectedBy('filter'),
        rules: rejectedBy('rules'),
        model: rejectedBy('model'),
        'false hits': own.filter(cache).length,
      },
    ];
  });
  console.table(Object.fromEntries(rows));
}

/** Each prompt is asked while all others are stored at once, as they are after a while. */
function printQuestions(questions: readonly AskedPrompt[]): void {
  console.log(
    'Each prompt as a question, while all others are stored: what is found, and what is wrong, if its own answer is ' +
      'stored for other words; and what is wrong if it is new',
  );
  const rowOfAsked = (own: readonly AskedPrompt[]) => {
    const { found, wrong, wrongIfNew } = sharesOf(own);
    return { found: shown(found), wrong: shown(wrong), 'wrong if new': shown(wrongIfNew) };
  };
  const rows = [...Map.groupBy(questions, ({ prompt }) => prompt.author)].map(([author, own]) => [
    author,
    rowOfAsked(own),
  ]);
  console.table(Object.fromEntries([...rows, ['all', rowOfAsked(questions)]]));
}

async function printTraffic(
  reader: ProofReader,
  lookUps: LookUps,
  report: readonly ReadPair[],
  { thresholds, seed }: { thresholds: Thresholds; seed: number },
): Promise<void> {
  const pairs = report.filter((pair) => !isConversation(pair));
  const prompts = new Map(promptsOf(pairs).map((prompt) => [prompt.text, prompt]));
  const traffic = makeTraffic(pairs, TRAFFIC, createRandom(seed));
  await reader.embed(traffic.map(({ text }) => text));
  console.log(
    `A synthetic month of ${traffic.length} requests, seed ${seed}: ${percent(TRAFFIC.repeatShare)} ask what was asked ` +
      `before, ${percent(TRAFFIC.verbatimShare)} of these in the same words; the near misses are among the rest.`,
  );
  const play = async (find: FindAnswer) => {
    const { hits, wrong } = await playTraffic(traffic, find);
    return {
      'hit rate': percent(hits / traffic.length),
      'wrong answers': `${wrong}, ${percent(wrong / traffic.length)} of requests`,
    };
  };
  const find: FindAnswer = async (question, stored) => {
    const prompt = prompts.get(question);
    if (prompt === undefined) throw new Error(`not a prompt of the report: ${question}`);
    const near = (await lookUps.neighboursOf(prompt)).filter((other) => stored.has(other.prompt.text));
    return (await lookUps.lookUp(prompt, near, thresholds))?.text ?? null;
  };
  console.table({
    'the cache': await play(find),
    'same words only': await play(async () => null),
    [`RedisVL's default, cosine ${REDISVL_COSINE}`]: await play(reader.nearest(REDISVL_COSINE)),
    'plain cosine 0.8': await play(reader.nearest(0.8)),
    [`GPTCache's default, cosine ${GPTCACHE_COSINE}`]: await play(reader.nearest(GPTCACHE_COSINE)),
  });
}

function printTime(times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  console.log(`A pair that the model reads in both orders: median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}
