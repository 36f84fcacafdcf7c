/** OpenAI's embeddings: unit vectors that depend only on the text. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

const requestSchema = z.object({
  model: z.string(),
  input: z.union([
    z.string().transform((text) => [text]),
    z.array(z.int()).transform((tokens) => [tokens]),
    z.array(z.union([z.string(), z.array(z.int())])),
  ]),
  dimensions: z.int().positive().max(4_096).default(64),
  encoding_format: z.enum(['float', 'base64']).default('float'),
});

/** @returns undefined where the path is not that of embeddings. */
export function answerEmbeddings(path: string, body: unknown): object | undefined {
  if (path !== '/v1/embeddings') return undefined;
  const { model, input: inputs, dimensions, encoding_format: format } = requestSchema.parse(body);
  const tokens = inputs.reduce((sum, input) => sum + Math.ceil(input.length / 4), 0);
  return {
    object: 'list',
    model,
    data: inputs.map((input, index) => {
      const vector = vectorOf(String(input), dimensions);
      const embedding =
        format === 'float' ? vector : Buffer.from(Float32Array.from(vector).buffer).toString('base64');
      return { object: 'embedding', index, embedding };
    }),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function vectorOf(text: string, dimensions: number): number[] {
  const values = Array.from({ length: dimensions }, (_, index) => {
    return createHash('sha256').update(`${index} ${text}`).digest().readInt32LE(0);
  });
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}
