/**
 * A synthetic month of requests: every meaning is asked for once, and popular ones again, in words that were used
 * before or in others. What each request means is known, so wrong answers can be counted.
 */
import type { WrittenPair } from '../../../tools/cache-verifier/written-pairs.ts';
import type { Random } from '../../harness/random.ts';

interface Request {
  readonly text: string;
  /** Two requests with one meaning have one answer. */
  readonly meaning: string;
}

interface TrafficPlan {
  /** Share of the requests that ask what was asked before. */
  readonly repeatShare: number;
  /** Share of those that ask it in words that were used before. */
  readonly verbatimShare: number;
}

/** @returns the stored text whose answer the cache gives to a question in other words; null: none. */
export type FindAnswer = (question: string, stored: ReadonlySet<string>) => Promise<string | null>;

/** The repeats are spread over the meanings, old ones more often than new ones. */
export function makeTraffic(
  pairs: readonly WrittenPair[],
  { repeatShare, verbatimShare }: TrafficPlan,
  random: Random,
): Request[] {
  const wordings = wordingsOf(pairs);
  const fresh = shuffled([...wordings.keys()], random);
  const repeatable = new Set(
    [...wordings].filter(([, texts]) => texts.length > 1).map(([meaning]) => meaning),
  );
  const used = new Map<string, string[]>();
  const requests: Request[] = [];
  const total = Math.round(fresh.length / (1 - repeatShare));
  const chance = (share: number) => random.between(1, 1_000) <= share * 1_000;
  const pick = (texts: readonly string[]) => texts[random.between(0, texts.length - 1)] ?? '';
  while (requests.length < total) {
    const repeated = [...used.keys()].filter((meaning) => repeatable.has(meaning));
    const isRepeat = repeated.length > 0 && (fresh.length === 0 || chance(repeatShare));
    // The smaller of two draws: what came first is asked for most.
    const at = Math.min(random.between(0, repeated.length - 1), random.between(0, repeated.length - 1));
    const meaning = (isRepeat ? repeated[at] : fresh.pop()) ?? '';
    const before = used.get(meaning) ?? [];
    const texts = wordings.get(meaning) ?? [];
    const others = texts.filter((text) => !before.includes(text));
    const isVerbatim = before.length > 0 && (others.length === 0 || chance(verbatimShare));
    const text = pick(isVerbatim ? before : others);
    used.set(meaning, [...before, text]);
    requests.push({ text, meaning });
  }
  return requests;
}

/** Each request takes a stored answer, or is generated and stored. */
export async function playTraffic(
  requests: readonly Request[],
  find: FindAnswer,
): Promise<{ readonly hits: number; readonly wrong: number }> {
  const meanings = new Map<string, string>();
  const stored = new Set<string>();
  let hits = 0;
  let wrong = 0;
  for (const { text, meaning } of requests) {
    const used = stored.has(text) ? text : await find(text, stored);
    if (used === null) {
      stored.add(text);
      meanings.set(text, meaning);
    } else {
      hits += 1;
      if (meanings.get(used) !== meaning) wrong += 1;
    }
  }
  return { hits, wrong };
}

function wordingsOf(pairs: readonly WrittenPair[]): Map<string, string[]> {
  const wordings = new Map<string, string[]>();
  for (const { author, group, first, second, kind } of pairs) {
    const meaning = `${author}/${group}`;
    if (kind !== null) wordings.set(`${meaning}/${second.text}`, [second.text]);
    else wordings.set(meaning, [...(wordings.get(meaning) ?? [first.text]), second.text]);
  }
  return wordings;
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const mixed = [...items];
  for (let index = mixed.length - 1; index > 0; index -= 1) {
    const other = random.between(0, index);
    const [a, b] = [mixed[index], mixed[other]];
    if (a !== undefined && b !== undefined) [mixed[index], mixed[other]] = [b, a];
  }
  return mixed;
}
