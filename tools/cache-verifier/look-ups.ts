/**
 * Look-ups among stored prompts by the parts of the product: the filter, the nearest by their vectors, the rules, and
 * the model on what they leave open. Vectors are compared one by one, which finds what Qdrant's graph may miss.
 */
import { embeddedText, signatureOf } from '../../engine/cache/compared-text.ts';
import type { PairKind, Thresholds } from '../../engine/cache/pair-model/calibration.ts';
import { closenessOf } from '../../engine/cache/pair-model/closeness.ts';
import { PairModel } from '../../engine/cache/pair-model/pair-model.ts';
import {
  joinTurns,
  MOST_READ,
  type PairsToRead,
  readPairs,
  textsOf,
} from '../../engine/cache/pair-model/read-pairs.ts';
import { readOpen } from '../../engine/cache/read-open.ts';
import { MOST_NEIGHBOURS } from '../../engine/cache/semantic-answer-cache.ts';
import {
  compareConversations,
  type Ruled,
  type Ruling,
} from '../../engine/cache/verifier/compare-conversations.ts';
import { createVerifier } from '../../engine/cache/verifier/verify.ts';
import { createLocalEmbedder } from '../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../engine/embedding/sentence-encoder.ts';
import type { StoredPrompt } from './written-pairs.ts';

interface Neighbour {
  readonly prompt: StoredPrompt;
  readonly similarity: number;
}

/** What the model estimates of a question and a stored one. */
interface Estimate {
  readonly kind: PairKind;
  readonly logit: number;
}

export class LookUps {
  readonly #verifier = createVerifier();
  readonly #signatures = {
    signatureOf: async (turns: readonly string[]) => JSON.stringify(turns.map(this.#verifier.signatureOf)),
  };
  readonly #embedder = createLocalEmbedder(new SentenceEncoder());
  readonly #model: Pick<PairModel, 'read'>;
  readonly #rulings = new Map<string, Ruled>();
  /** The prompts that the filter leaves for each other. */
  readonly #partitions = new Map<string, { prompt: StoredPrompt; vector: readonly number[] }[]>();

  private constructor(model: PairModel) {
    const logits = new Map<string, Promise<number | null>>();
    this.#model = {
      read(first, second) {
        // It estimates the same for both orders.
        const key = JSON.stringify([first, second].sort());
        const logit = logits.get(key) ?? model.read(first, second);
        logits.set(key, logit);
        return logit;
      },
    };
  }

  static async among(prompts: readonly StoredPrompt[]): Promise<LookUps> {
    const lookUps = new LookUps(await PairModel.load());
    for (const prompt of prompts) await lookUps.#add(prompt);
    return lookUps;
  }

  /** All that ask in other words and may be compared with the question, the most similar first. */
  async neighboursOf(question: StoredPrompt): Promise<Neighbour[]> {
    const own = joinTurns(question.usersTurns);
    const all = this.#partitions.get(await this.#partitionOf(question)) ?? [];
    const itself = all.find(({ prompt }) => prompt.text === question.text);
    if (itself === undefined) throw new Error(`not one of the prompts: ${question.text}`);
    return all
      .filter(({ prompt }) => joinTurns(prompt.usersTurns) !== own)
      .map((other) => ({ prompt: other.prompt, similarity: cosineOf(itself.vector, other.vector) }))
      .filter(({ similarity }) => similarity >= this.#embedder.leastSimilarity)
      .sort((a, b) => b.similarity - a.similarity);
  }

  /** @returns the prompt whose answer the cache would give; null: none. */
  async lookUp(
    question: StoredPrompt,
    stored: readonly Neighbour[],
    thresholds: Thresholds | null,
  ): Promise<StoredPrompt | null> {
    const near = stored.slice(0, MOST_NEIGHBOURS).map(({ prompt }) => prompt);
    const ruled = near.map((other) => this.#rule(question, other));
    const read = (open: PairsToRead) => readPairs(this.#model, open, Number.POSITIVE_INFINITY);
    const compared = await readOpen(read, ruled, { thresholds, all: false });
    return near[compared.findIndex(({ agreement }) => agreement === 'same')] ?? null;
  }

  /** What the model reads: an answer is given if one of these passes its threshold. */
  async estimatesOf(question: StoredPrompt, stored: readonly Neighbour[]): Promise<Estimate[]> {
    const near = stored.slice(0, MOST_NEIGHBOURS).map(({ prompt }) => this.#rule(question, prompt));
    const ruled = (as: Ruling) => near.filter(({ ruling }) => ruling === as).slice(0, MOST_READ);
    const open = [...ruled('aligned'), ...ruled('unsure')];
    const logits = await Promise.all(open.map(({ pair }) => this.#model.read(...textsOf(pair))));
    return open.flatMap(({ ruling, pair }, at) => {
      const logit = logits[at] ?? null;
      const kind = ruling === 'aligned' ? ruling : closenessOf(...textsOf(pair));
      return logit === null ? [] : [{ kind, logit }];
    });
  }

  close(): Promise<void> {
    return this.#embedder.close();
  }

  async #add(prompt: StoredPrompt): Promise<void> {
    const partition = await this.#partitionOf(prompt);
    const vector = await this.#embedder.embed(embeddedText(prompt.usersTurns));
    const others = this.#partitions.get(partition) ?? [];
    this.#partitions.set(partition, [...others, { prompt, vector }]);
  }

  /** The turns of the assistant and the signature must be equal. */
  async #partitionOf({ usersTurns, assistantsTurns }: StoredPrompt): Promise<string> {
    const signature = await signatureOf(this.#signatures, usersTurns);
    return JSON.stringify([assistantsTurns, signature]);
  }

  #rule(question: StoredPrompt, other: StoredPrompt): Ruled {
    const key = JSON.stringify([question.usersTurns, other.usersTurns]);
    const known = this.#rulings.get(key);
    if (known !== undefined) return known;
    const pair = [question.usersTurns, other.usersTurns] as const;
    const [ruled = { ruling: 'different', pair }] = compareConversations(
      this.#verifier,
      question.usersTurns,
      [other.usersTurns],
      Number.POSITIVE_INFINITY,
    );
    this.#rulings.set(key, ruled);
    return ruled;
  }
}

/** Of vectors of length 1. */
function cosineOf(some: readonly number[], others: readonly number[]): number {
  return some.reduce((sum, value, at) => sum + value * (others[at] ?? 0), 0);
}
