/**
 * Loads ONNX Runtime. The native one is an optional dependency: it has no build for some platforms, and its install
 * script downloads CUDA, which may fail. Without it the same models run in WebAssembly, several times slower and with
 * the same results.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { IS_COMPILED } from '../../platform/on-disk.ts';
import { loadInstalled } from '../../platform/optional-package.ts';

type Onnx = typeof import('onnxruntime-node');

export interface OnnxRuntime {
  readonly kind: 'native' | 'wasm';
  load(model: Uint8Array): Promise<InferenceSession>;
  /** One row of a batch. */
  row(values: readonly number[]): Tensor;
}

/** The package and the image have a copy of these two files, not the whole package. */
const WASM_FOLDER = IS_COMPILED ? './onnxruntime-web/' : '../../node_modules/onnxruntime-web/dist/';
const WASM_MODULE = new URL(`${WASM_FOLDER}ort.wasm.bundle.min.mjs`, import.meta.url);
const WASM_BINARY = new URL(`${WASM_FOLDER}ort-wasm-simd-threaded.wasm`, import.meta.url);

/** One thread: a worker has other work for its cores, and a question is too short to be divided. */
const OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
};

/** undefined if it is missing, or cannot be loaded here. */
export function findNativeRuntime(): Onnx | undefined {
  try {
    return createRequire(import.meta.url)('onnxruntime-node');
  } catch {
    return undefined;
  }
}

/** @param kind absent: native where that is possible. */
export async function loadOnnxRuntime(kind?: OnnxRuntime['kind']): Promise<OnnxRuntime> {
  const native = kind === 'wasm' ? undefined : findNativeRuntime();
  if (native !== undefined) return runtimeOf('native', native, 'cpu');
  if (kind === 'native') throw new Error('onnxruntime-node cannot be loaded.');
  const web = await loadInstalled<Onnx>(WASM_MODULE.href);
  web.env.wasm.numThreads = 1;
  web.env.wasm.wasmBinary = readFileSync(WASM_BINARY);
  return runtimeOf('wasm', web, 'wasm');
}

function runtimeOf(kind: OnnxRuntime['kind'], onnx: Onnx, provider: 'cpu' | 'wasm'): OnnxRuntime {
  return {
    kind,
    load: (model) => onnx.InferenceSession.create(model, { ...OPTIONS, executionProviders: [provider] }),
    row: (values) => new onnx.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]),
  };
}
