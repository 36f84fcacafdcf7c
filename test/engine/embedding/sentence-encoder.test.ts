import { afterAll, describe, expect, test } from '@jest/globals';
import { createLocalEmbedder } from '../../../engine/embedding/local-embedder.ts';
import { rememberVectors } from '../../../engine/embedding/remembering-embedder.ts';
import { SentenceEncoder } from '../../../engine/embedding/sentence-encoder.ts';

const encoder = new SentenceEncoder();
const inWebAssembly = new SentenceEncoder({ runtime: 'wasm' });
afterAll(() => Promise.all([encoder.close(), inWebAssembly.close()]));

const cosine = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

const TEXTS = [
  'How do I reset my password?',
  'What is the way to reset a password?',
  'The river carries light over stone.',
];

describe('a sentence', () => {
  test('of a similar meaning has a close vector, of length 1, in the order of the texts', async () => {
    const [question = [], similar = [], other = []] = await encoder.encode(TEXTS);
    expect(cosine(question, question)).toBeCloseTo(1, 3);
    expect(cosine(question, similar)).toBeGreaterThan(0.8);
    expect(cosine(question, other)).toBeLessThan(0.4);
  });

  test('has the same vector whatever comes with it', async () => {
    const [alone] = await encoder.encode(TEXTS.slice(0, 1));
    const [first, , , last] = await encoder.encode([...TEXTS, ...TEXTS.slice(0, 1)]);
    expect([first, last]).toEqual([alone, alone]);
  });

  test('has nearly the same vector in WebAssembly, for where ONNX Runtime has no build', async () => {
    const [native, web] = await Promise.all([encoder.encode(TEXTS), inWebAssembly.encode(TEXTS)]);
    expect(web).toHaveLength(TEXTS.length);
    for (const [index, vector] of web.entries()) {
      expect(cosine(vector, native[index] ?? [])).toBeGreaterThan(0.99);
    }
  });

  test('that is longer than the model reads counts by its end', async () => {
    const end = 'The last words are about the weather in Lisbon. '.repeat(40);
    const [ends = [], whole = [], other = []] = await encoder.encode([
      end.slice(0, 1_500),
      `Taxes. ${end.slice(0, 1_500)}`,
      `${'Taxes are due in April. '.repeat(60)}`,
    ]);
    expect(cosine(ends, whole)).toBeCloseTo(1, 2);
    expect(cosine(ends, other)).toBeLessThan(0.5);
  });

  test('in letters that the model does not know is still no failure', async () => {
    const vectors = await encoder.encode(['東京の天気は？', '', '😩', 'see [SEP] here']);
    for (const vector of vectors) expect(cosine(vector, vector)).toBeCloseTo(1, 3);
  });
});

test('an encoder that is closed in the middle of its work leaves this process alive', async () => {
  const other = new SentenceEncoder();
  await other.encode(['Why?']);
  const lost = expect(other.encode(Array.from({ length: 6 }, () => 'a word '.repeat(200)))).rejects.toThrow(
    'closed',
  );
  await other.close();
  await lost;
});

test('an embedder shares the encoder and its vectors', async () => {
  const text = 'How do I reset my password?';
  const embedder = createLocalEmbedder(encoder);
  const [vector = []] = await encoder.encode([text], 'acme');
  expect(vector).toHaveLength(embedder.dimensions);
  expect(cosine(await embedder.embed(text, 'acme'), vector)).toBeCloseTo(1, 3);
});

test('a remembered vector is not computed again, and a failure is not remembered', async () => {
  const texts: string[] = [];
  const embedder = rememberVectors({
    ...createLocalEmbedder(encoder),
    embed: async (text) => {
      texts.push(text);
      if (texts.length === 1) throw new Error('not now');
      return [1];
    },
  });
  await expect(embedder.embed('a')).rejects.toThrow('not now');
  expect(await embedder.embed('a')).toEqual([1]);
  expect(await embedder.embed('a')).toEqual([1]);
  expect(texts).toEqual(['a', 'a']);
});
