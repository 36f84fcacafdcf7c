/** A made-up traffic of the labelled prompts: what each request means is known, so wrong answers can be counted. */
import type { LabelledPair } from '../engine/cache/labelled-pairs.ts';
import type { Random } from '../harness/random.ts';

export type Decide = (asked: string, stored: string) => boolean;

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

/** Every meaning comes once; the repeats are spread over them, old meanings more often than new ones. */
export function makeTraffic(
  pairs: readonly LabelledPair[],
  { repeatShare, verbatimShare }: TrafficPlan,
  random: Random,
): Request[] {
  const phrasings = phrasingsOf(pairs);
  const fresh = shuffled([...phrasings.keys()], random);
  const repeatable = new Set(
    [...phrasings].filter(([, texts]) => texts.length > 1).map(([meaning]) => meaning),
  );
  const used = new Map<string, string[]>();
  const requests: Request[] = [];
  const total = Math.round(fresh.length / (1 - repeatShare));
  while (requests.length < total) {
    const repeated = [...used.keys()].filter((meaning) => repeatable.has(meaning));
    const isRepeat =
      repeated.length > 0 && (fresh.length === 0 || random.between(1, 1_000) <= repeatShare * 1_000);
    // The smaller of two draws: what came first is asked for most.
    const at = Math.min(random.between(0, repeated.length - 1), random.between(0, repeated.length - 1));
    const meaning = (isRepeat ? repeated[at] : fresh.pop()) ?? '';
    const before = used.get(meaning) ?? [];
    const texts = phrasings.get(meaning) ?? [];
    const isVerbatim = before.length > 0 && random.between(1, 1_000) <= verbatimShare * 1_000;
    const others = texts.filter((text) => !before.includes(text));
    const from = isVerbatim || others.length === 0 ? (before.length > 0 ? before : texts) : others;
    const text = from[random.between(0, from.length - 1)] ?? '';
    used.set(meaning, [...before, text]);
    requests.push({ text, meaning });
  }
  return requests;
}

/** Each request takes the nearest stored answer that is accepted, or is generated and stored. */
export function playTraffic(
  requests: readonly Request[],
  decide: Decide,
  similarity: (one: string, other: string) => number,
  threshold: number,
): { readonly hits: number; readonly wrong: number } {
  const stored = new Map<string, string>();
  let hits = 0;
  let wrong = 0;
  for (const { text, meaning } of requests) {
    const exact = stored.get(text);
    const near = exact === undefined ? nearest(text) : undefined;
    const answer = exact ?? near;
    if (answer === undefined) stored.set(text, meaning);
    else {
      hits += 1;
      if (answer !== meaning) wrong += 1;
    }
  }
  return { hits, wrong };

  function nearest(text: string): string | undefined {
    if (threshold >= 1) return undefined;
    const found = [...stored]
      .map(([other, answer]) => ({ other, answer, similarity: similarity(text, other) }))
      .filter((match) => match.similarity >= threshold)
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 8)
      .find(({ other }) => decide(text, other));
    return found?.answer;
  }
}

function phrasingsOf(pairs: readonly LabelledPair[]): Map<string, string[]> {
  const phrasings = new Map<string, string[]>();
  for (const { domain, group, ask, other, differs } of pairs) {
    const meaning = `${domain}/${group}`;
    if (differs !== null) phrasings.set(`${meaning}/${other}`, [other]);
    else phrasings.set(meaning, [...(phrasings.get(meaning) ?? [ask]), other]);
  }
  return phrasings;
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
