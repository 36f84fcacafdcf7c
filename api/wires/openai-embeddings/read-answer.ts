/**
 * Reads a list of vectors as servers of OpenAI's format write it, and fits it to what the caller asked for: many
 * servers know only one of the two encodings, and report their usage under another name, or none.
 */
import { z } from 'zod';
import { countInputs, type EmbeddingsRequest } from './request.ts';

const FLOAT_BYTES = 4;

const listSchema = z.looseObject({
  data: z.array(z.unknown()),
  usage: z
    .looseObject({ prompt_tokens: z.unknown().optional(), total_tokens: z.unknown().optional() })
    .nullish()
    .catch(null),
});

export interface EmbeddingsAnswer {
  readonly object: 'list';
  readonly data: readonly unknown[];
  /** Absent: the server did not report it. */
  readonly usage?: { readonly prompt_tokens: number; readonly total_tokens: number };
  readonly [field: string]: unknown;
}

/** @returns null if it is no list of vectors, one for each input: clients take the rest for those of other inputs. */
export function readAnswer(value: unknown, request: EmbeddingsRequest): EmbeddingsAnswer | null {
  const parsed = listSchema.safeParse(value);
  if (!parsed.success) return null;
  const { data, usage, ...rest } = parsed.data;
  if (data.length !== countInputs(request)) return null;
  const tokens = countOf(usage?.prompt_tokens) ?? countOf(usage?.total_tokens);
  return {
    ...rest,
    object: 'list',
    data: inOrder(data).map((vector) => encoded(vector, request)),
    ...(tokens === null ? {} : { usage: withTotal(usage, tokens) }),
  };
}

/** 0 is no count: an input has at least one token. */
function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function withTotal(usage: object | null | undefined, tokens: number) {
  const { total_tokens: total } = (usage ?? {}) as { readonly total_tokens?: unknown };
  return { ...usage, prompt_tokens: tokens, total_tokens: countOf(total) ?? tokens };
}

/** Clients take the vectors by their places. */
function inOrder(data: readonly unknown[]): readonly unknown[] {
  const indexes = data.map((vector) => Object(vector).index as unknown);
  if (!indexes.every((index) => Number.isSafeInteger(index))) return data;
  return data.toSorted((left, right) => Object(left).index - Object(right).index);
}

/** Clients decode what they get by what they asked for: numbers in place of a text become noise, without an error. */
function encoded(vector: unknown, { encoding_format: format, output_dtype: type }: EmbeddingsRequest) {
  if (typeof vector !== 'object' || vector === null || !isFloat(type)) return vector;
  const { embedding } = vector as { readonly embedding?: unknown };
  if (format === 'base64' && isNumbers(embedding)) return { ...vector, embedding: toBase64(embedding) };
  if (format !== 'base64' && typeof embedding === 'string') {
    const numbers = fromBase64(embedding);
    return numbers === null ? vector : { ...vector, embedding: numbers };
  }
  return vector;
}

/** Voyage, "Embeddings": other types of numbers have other bytes. */
function isFloat(type: unknown): boolean {
  return type === undefined || type === null || type === 'float';
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

function toBase64(numbers: readonly number[]): string {
  const bytes = Buffer.alloc(numbers.length * FLOAT_BYTES);
  for (const [index, number] of numbers.entries()) bytes.writeFloatLE(number, index * FLOAT_BYTES);
  return bytes.toString('base64');
}

function fromBase64(text: string): number[] | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) return null;
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, index) =>
    bytes.readFloatLE(index * FLOAT_BYTES),
  );
}
