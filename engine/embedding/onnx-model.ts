/**
 * One of our models: word pieces in, numbers out. It reads one row at a time. Measured on one core, a batch saves a
 * tenth of the time; but int8 models round by the largest number of a batch, so the result for a text would depend on
 * which other texts, perhaps of other tenants, came with it.
 */
import type { InferenceSession } from 'onnxruntime-node';
import { readModelFile } from './model-files.ts';
import { loadOnnxRuntime, type OnnxRuntime } from './onnx-runtime.ts';
import type { WordPieces } from './word-pieces.ts';

export class OnnxModel {
  readonly #runtime: OnnxRuntime;
  readonly #session: InferenceSession;

  private constructor(runtime: OnnxRuntime, session: InferenceSession) {
    this.#runtime = runtime;
    this.#session = session;
  }

  /** @param folder of the weights, with their hashes. */
  static async load(folder: URL, name: string, kind?: OnnxRuntime['kind']): Promise<OnnxModel> {
    const runtime = await loadOnnxRuntime(kind);
    return new OnnxModel(runtime, await runtime.load(readModelFile(folder, name)));
  }

  /** @returns the model's one output, flat. */
  async run({ ids, types }: WordPieces): Promise<Float32Array> {
    const results = await this.#session.run({
      input_ids: this.#runtime.row(ids),
      token_type_ids: this.#runtime.row(types),
      attention_mask: this.#runtime.row(ids.map(() => 1)),
    });
    const data = results[this.#session.outputNames[0] ?? '']?.data;
    if (!(data instanceof Float32Array)) throw new Error('The model returned no numbers.');
    return data;
  }
}
