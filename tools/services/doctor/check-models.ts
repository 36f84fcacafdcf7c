/** Checks how this machine runs the models of the answer cache: natively, or in WebAssembly. */
import { findNativeRuntime } from '../../../engine/embedding/onnx-runtime.ts';
import { type Finding, ok, warning } from './finding.ts';

export function checkModels(): Finding {
  if (findNativeRuntime() !== undefined) return ok('models', 'run natively');
  return warning(
    'models',
    'onnxruntime-node is missing or has no build for this system: models run in WebAssembly, several times slower',
    'Run: npm install onnxruntime-node@1.30.0 --ignore-scripts',
  );
}
