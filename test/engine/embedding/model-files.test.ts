import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { PAIR_WEIGHTS } from '../../../engine/cache/pair-model/calibration.ts';
import { readModelFile } from '../../../engine/embedding/model-files.ts';
import { WEIGHTS } from '../../../engine/embedding/word-pieces.ts';

const MOST_BYTES = 25 * 1024 ** 2;
const FILES = [
  [WEIGHTS, 'embedder.onnx'],
  [WEIGHTS, 'tokenizer.json'],
  [PAIR_WEIGHTS, 'verifier.onnx'],
  [PAIR_WEIGHTS, 'calibration.json'],
] as const;

const home = mkdtempSync(join(tmpdir(), 'unbroken-weights-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each(FILES)('the model file %s%s is the one that was committed, and small', (folder, name) => {
  expect(readModelFile(folder, name).length).toBe(statSync(new URL(name, folder)).size);
  expect(statSync(new URL(name, folder)).size).toBeLessThan(MOST_BYTES);
});

test('a model file that a disk or a download has changed is not used', () => {
  cpSync(PAIR_WEIGHTS, home, { recursive: true });
  const copy = pathToFileURL(`${home}/`);
  expect(readModelFile(copy, 'calibration.json').length).toBeGreaterThan(0);
  writeFileSync(join(home, 'calibration.json'), '{"points":[{"falseHits":0.001,"logit":-100}]}');
  expect(() => readModelFile(copy, 'calibration.json')).toThrow(
    /calibration\.json is damaged.*Install it again/,
  );
  writeFileSync(join(home, 'unknown.json'), '{}');
  expect(() => readModelFile(copy, 'unknown.json')).toThrow('damaged');
});
