/** The documents of compression-set/, with questions whose answers are phrases of theirs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, 'compression-set');

const headSchema = z.strictObject({
  /** What the compressor was tuned on, and what it is judged by. */
  part: z.enum(['tune', 'report']),
  questions: z.array(z.strictObject({ ask: z.string(), answer: z.string() })).min(1),
});

export interface AskedDocument extends z.infer<typeof headSchema> {
  readonly name: string;
  readonly text: string;
}

export function readCompressionSet(): readonly AskedDocument[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
  return names.sort().map((name) => {
    const [, head = '', ...text] = readFileSync(join(FOLDER, name), 'utf8').split('---\n');
    return { name, ...headSchema.parse(parse(head)), text: text.join('---\n') };
  });
}
