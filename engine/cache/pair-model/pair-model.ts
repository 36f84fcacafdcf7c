/**
 * The model that reads two prompts at once, so that each word sees the other prompt, and estimates whether both want
 * the same answer. English. Its work belongs in a thread: some 5 ms of a core for each order of two short prompts.
 *
 * How it was trained, and on what: tools/cache-verifier.
 */
import { OnnxModel } from '../../embedding/onnx-model.ts';
import type { OnnxRuntime } from '../../embedding/onnx-runtime.ts';
import { WordPieceReader } from '../../embedding/word-pieces.ts';
import { PAIR_WEIGHTS } from './calibration.ts';

/** Of both prompts, as in training. */
const MOST_PIECES = 160;
/** The log-odds of the two orders differed by 5 at most, in 600 pairs. Where they differ by more, a hit is missed. */
const MOST_BETWEEN_ORDERS = 8;

export class PairModel {
  readonly #model: OnnxModel;
  readonly #reader = new WordPieceReader();

  private constructor(model: OnnxModel) {
    this.#model = model;
  }

  static async load(kind?: OnnxRuntime['kind']): Promise<PairModel> {
    return new PairModel(await OnnxModel.load(PAIR_WEIGHTS, 'verifier.onnx', kind));
  }

  /**
   * @param least log-odds that matter: a pair that is far below is read in one order only.
   * @returns the log-odds that both want the same answer, the mean of both orders; null if it cannot read them: they
   * are too long, or the vocabulary does not have all of them.
   */
  async read(first: string, second: string, least = Number.NEGATIVE_INFINITY): Promise<number | null> {
    const pieces = this.#reader.readPair(first, second);
    if (!pieces.isKnown || pieces.ids.length > MOST_PIECES) return null;
    const [logit = Number.NEGATIVE_INFINITY] = await this.#model.run(pieces);
    if (logit < least - MOST_BETWEEN_ORDERS / 2) return logit;
    const [other = logit] = await this.#model.run(this.#reader.readPair(second, first));
    return (logit + other) / 2;
  }
}

export function probabilityOf(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
