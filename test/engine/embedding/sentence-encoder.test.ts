import { afterAll, expect, test } from '@jest/globals';
import { createLocalEmbedder } from '../../../engine/embedding/local-embedder.ts';
import { rememberVectors } from '../../../engine/embedding/remembering-embedder.ts';
import { SentenceEncoder } from '../../../engine/embedding/sentence-encoder.ts';

const encoder = new SentenceEncoder();
afterAll(() => encoder.close());

const cosine = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

test('similar sentences have close vectors of length 1, in the order of the texts', async () => {
  const [question = [], similar = [], other = []] = await encoder.encode([
    'How do I reset my password?',
    'What is the way to reset a password?',
    'The river carries light over stone.',
  ]);
  expect(cosine(question, question)).toBeCloseTo(1, 3);
  expect(cosine(question, similar)).toBeGreaterThan(0.8);
  expect(cosine(question, other)).toBeLessThan(0.5);
});

test('an embedder shares the encoder and its vectors', async () => {
  const text = 'How do I reset my password?';
  const embedder = createLocalEmbedder(encoder);
  const [vector = []] = await encoder.encode([text], 'acme');
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
