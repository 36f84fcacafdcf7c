/**
 * all-MiniLM-L6-v2 with int8 weights: 384 dimensions, English, local. Its work belongs in a thread.
 *
 * Source: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2
 */
import { OnnxModel } from './onnx-model.ts';
import type { OnnxRuntime } from './onnx-runtime.ts';
import { WEIGHTS, WordPieceReader, type WordPieces } from './word-pieces.ts';

/** As the model was trained. */
const MOST_PIECES = 256;

export class SentenceModel {
  readonly #model: OnnxModel;
  readonly #reader = new WordPieceReader();

  private constructor(model: OnnxModel) {
    this.#model = model;
  }

  static async load(kind?: OnnxRuntime['kind']): Promise<SentenceModel> {
    return new SentenceModel(await OnnxModel.load(WEIGHTS, 'embedder.onnx', kind));
  }

  /** @returns a vector of length 1, of the end of the text if that is longer than the model reads. */
  async embed(text: string): Promise<number[]> {
    return [...(await this.#model.run(endOf(this.#reader.read(text))))];
  }
}

/** The first piece marks the beginning of the text. */
function endOf(pieces: WordPieces): WordPieces {
  const { ids, types } = pieces;
  if (ids.length <= MOST_PIECES) return pieces;
  return {
    ...pieces,
    ids: [...ids.slice(0, 1), ...ids.slice(1 - MOST_PIECES)],
    types: types.slice(0, MOST_PIECES),
  };
}
