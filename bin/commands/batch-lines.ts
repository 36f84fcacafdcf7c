/** The lines that `unbroken batches submit` sends: those of a batch as they are, or made of prompts. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { splitLines } from '../../engine/batches/split-lines.ts';

/** @throws if the file has none. */
export async function firstLineOf(path: string): Promise<Record<string, unknown> | null> {
  for await (const line of linesOf(path)) {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  }
  throw new Error(`${path} has no lines.`);
}

/** As the check of a batch cuts them: `readline` would also cut a text at U+2028, and keep a byte order mark. */
async function* linesOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const { bytes } of splitLines(createReadStream(path), Number.POSITIVE_INFINITY)) {
    yield decoder.decode(bytes);
  }
}

/** Prompts as lines of a batch, whose ids are their numbers. */
export async function writeLines(from: string, to: string, model: string): Promise<void> {
  const lines = async function* () {
    let number = 0;
    for await (const line of linesOf(from)) {
      number += 1;
      yield `${JSON.stringify(batchLine(JSON.parse(line), number, model))}\n`;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(to));
}

function batchLine(value: unknown, number: number, byDefault: string): object {
  const fields = typeof value === 'string' ? { prompt: value } : (value as Record<string, unknown>);
  const { prompt, system, id, model = byDefault, ...settings } = fields as Record<string, unknown>;
  if (typeof prompt !== 'string')
    throw new Error(`Line ${number}: expected a text, or an object with "prompt".`);
  const messages = [
    ...(typeof system === 'string' ? [{ role: 'system', content: system }] : []),
    { role: 'user', content: prompt },
  ];
  return {
    custom_id: typeof id === 'string' ? id : String(number),
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model, messages, ...settings },
  };
}

export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
