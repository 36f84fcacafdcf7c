/**
 * What the semantic cache finds, and what it would give wrongly: the reporting part of the labelled pairs, plain cosine
 * beside it, and a made-up traffic.
 */

import { createVerifier, type Verifier } from '../../engine/cache/verifier/verify.ts';
import { createLocalEmbedder } from '../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../engine/embedding/sentence-encoder.ts';
import { DIFFERENCE_KINDS, type LabelledPair, readLabelledPairs } from '../engine/cache/labelled-pairs.ts';
import { createRandom } from '../harness/random.ts';
import { type Decide, makeTraffic, playTraffic } from './cache-traffic.ts';

const COSINE = 0.8;
const MOST_FALSE = 0.01;
const LEAST_FOUND = 0.6;

/** Prints the tables. Resolves with whether the false hits stay below the limit. */
export async function proveCache({ seed }: { readonly seed: number }): Promise<boolean> {
  const pairs = readLabelledPairs();
  const report = pairs.filter(({ part }) => part === 'report');
  const { leastSimilarity: threshold } = createLocalEmbedder(new SentenceEncoder());
  const { verify } = createVerifier();
  const similarity = await embedAll(report);
  const cache: Decide = (first, second) =>
    similarity(first, second) >= threshold && verify(first, second).verdict === 'same';
  const cosine: Decide = (first, second) => similarity(first, second) >= COSINE;
  const parts = new Set(pairs.map(({ part, group }) => `${part} ${group}`));
  console.log(
    `cache: ${pairs.length} labelled pairs in ${parts.size} groups; reported are the ${report.length} that nothing was ` +
      `tuned on. Rules alone; least cosine ${threshold}.`,
  );
  const ours = rate(report, cache);
  const plain = rate(report, cosine);
  console.table({
    'the cache': rowOf(ours),
    [`cosine >= ${COSINE} alone`]: rowOf(plain),
    'the cache, pairs written after the verifier': rowOf(rate(report.filter(isFresh), cache)),
    'the cache, other pairs of the reporting part': rowOf(
      rate(
        report.filter((pair) => !isFresh(pair)),
        cache,
      ),
    ),
  });
  printKinds(report, cache, cosine);
  printTraffic(report, { cache, cosine, similarity, threshold, seed });
  printTime(report, verify);
  const falseShare = ours.falseHits / ours.near;
  const foundShare = ours.found / ours.same;
  const isSafe = falseShare < MOST_FALSE;
  console.log(
    `found ${percent(foundShare)} (aim ${percent(LEAST_FOUND)}${foundShare < LEAST_FOUND ? ', missed' : ''}) ` +
      `false ${percent(falseShare)} (limit ${percent(MOST_FALSE)}${isSafe ? '' : ', crossed'})`,
  );
  return isSafe;
}

const isFresh = ({ domain }: LabelledPair) => domain === 'fresh';

interface Rates {
  readonly found: number;
  readonly same: number;
  readonly falseHits: number;
  readonly near: number;
}

function rate(pairs: readonly LabelledPair[], decide: Decide): Rates {
  const same = pairs.filter(({ differs }) => differs === null);
  const near = pairs.filter(({ differs }) => differs !== null);
  const hits = (among: readonly LabelledPair[]) =>
    among.filter(({ ask, other }) => decide(ask, other)).length;
  return { found: hits(same), same: same.length, falseHits: hits(near), near: near.length };
}

function rowOf({ found, same, falseHits, near }: Rates): Record<string, string> {
  return {
    'paraphrases found': `${found} of ${same} (${percent(found / same)})`,
    'false hits': `${falseHits} of ${near} (${percent(falseHits / near)})`,
    '95 % interval of the false hits': wilson(falseHits, near).map(percent).join(' to '),
  };
}

/** Wilson's score interval of a share, at 95 %. */
function wilson(hits: number, of: number): [low: number, high: number] {
  const z = 1.959_964;
  const share = hits / of;
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function printKinds(report: readonly LabelledPair[], cache: Decide, cosine: Decide): void {
  console.log('False hits by what differs');
  const rows = DIFFERENCE_KINDS.map((kind) => {
    const near = report.filter(({ differs }) => differs === kind);
    const hits = (decide: Decide) => near.filter(({ ask, other }) => decide(ask, other)).length;
    return [kind, { pairs: near.length, 'the cache': hits(cache), [`cosine >= ${COSINE}`]: hits(cosine) }];
  });
  console.table(Object.fromEntries(rows));
}

function printTraffic(
  report: readonly LabelledPair[],
  {
    cache,
    cosine,
    similarity,
    threshold,
    seed,
  }: { cache: Decide; cosine: Decide; similarity: Similarity; threshold: number; seed: number },
): void {
  const plan = { repeatShare: 0.4, verbatimShare: 0.5 };
  const traffic = makeTraffic(report, plan, createRandom(seed));
  console.log(
    `A made-up traffic of ${traffic.length} requests, seed ${seed}: ${percent(plan.repeatShare)} ask what was asked ` +
      `before, ${percent(plan.verbatimShare)} of these in the same words; the near misses are among the rest.`,
  );
  const played = (decide: Decide, least: number) => {
    const { hits, wrong } = playTraffic(traffic, decide, similarity, least);
    return {
      'hit rate': percent(hits / traffic.length),
      'wrong answers': `${wrong} (${percent(wrong / traffic.length)})`,
    };
  };
  console.table({
    'the cache': played(cache, threshold),
    [`cosine >= ${COSINE} alone`]: played(cosine, COSINE),
    'same words only': played((first, second) => first === second, 1),
  });
}

function printTime(report: readonly LabelledPair[], verify: Verifier['verify']): void {
  const times = report
    .map(({ ask, other }, index) => {
      // Words that it has not read yet: the readings of a prompt are remembered.
      const begunAt = performance.now();
      verify(`${ask} (${index})`, `${other} (${index})`);
      return performance.now() - begunAt;
    })
    .sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(2);
  console.log(`One comparison of two new prompts: median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

type Similarity = (one: string, other: string) => number;

async function embedAll(pairs: readonly LabelledPair[]): Promise<Similarity> {
  const embedder = createLocalEmbedder(new SentenceEncoder());
  const vectors = new Map<string, number[]>();
  for (const text of new Set(pairs.flatMap(({ ask, other }) => [ask, other]))) {
    vectors.set(text, await embedder.embed(text));
  }
  await embedder.close();
  return (first, second) => {
    const [a, b] = [vectors.get(first) ?? [], vectors.get(second) ?? []];
    return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  };
}
