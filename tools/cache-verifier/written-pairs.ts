/** Reads the pairs of prompts: `? prompt`, `= wording that wants the same answer`, `! kind near miss`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, 'pairs');

const partsSchema = z.strictObject({
  /** The model and the rules were made with these. */
  train: z.array(z.string()),
  /** The thresholds were chosen with these. */
  calibrate: z.array(z.string()),
  /** Nothing was made or chosen with these. */
  report: z.array(z.string()),
  /** One author for each, by nobody's choice of words but the author's: typing errors, courtesies, abbreviations. */
  nearRepeats: z.array(z.string()),
  languages: z.array(z.string()),
});
type Part = keyof z.infer<typeof partsSchema>;

export interface WrittenPair {
  readonly author: string;
  readonly group: string;
  readonly first: Prompt;
  readonly second: Prompt;
  /** In what the prompts differ; null: both want the same answer. */
  readonly kind: string | null;
}

interface Prompt {
  readonly text: string;
  readonly usersTurns: readonly string[];
  readonly assistantsTurns: readonly string[];
}

/** A prompt as the cache meets it: asked, or stored with its answer. */
export interface StoredPrompt extends Prompt {
  readonly author: string;
  /** A prompt, its wordings and its near misses are of one group. */
  readonly group: string;
  /** Prompts of one meaning want the same answer. */
  readonly meaning: string;
}

export function readPairs(part: Part): WrittenPair[] {
  const parts = partsSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'parts.json'), 'utf8')));
  return parts[part].flatMap(readAuthor);
}

/** Each prompt of the pairs once. No two near misses want the same answer. */
export function promptsOf(pairs: readonly WrittenPair[]): StoredPrompt[] {
  const prompts = new Map<string, StoredPrompt>();
  for (const { author, group, first, second, kind } of pairs) {
    const own = `${author}/${group}`;
    const meaning = kind === null ? own : `${own}/${second.text}`;
    for (const prompt of [
      { ...first, meaning: own },
      { ...second, meaning },
    ]) {
      if (!prompts.has(prompt.text)) prompts.set(prompt.text, { ...prompt, author, group: own });
    }
  }
  return [...prompts.values()];
}

/** Everything after a first prompt and before the next is beside it. */
function readAuthor(author: string): WrittenPair[] {
  const pairs: WrittenPair[] = [];
  let group = '';
  let first = readPrompt('');
  for (const [index, line] of readFileSync(join(FOLDER, `${author}.txt`), 'utf8')
    .split('\n')
    .entries()) {
    const [mark, text] = [line.slice(0, 2), line.slice(2).trim()];
    if (mark === '# ') group = text;
    else if (mark === '? ') first = readPrompt(text);
    else if (mark === '= ') pairs.push({ author, group, first, second: readPrompt(text), kind: null });
    else if (mark === '! ') {
      const [kind = ''] = text.split(' ', 1);
      pairs.push({ author, group, first, second: readPrompt(text.slice(kind.length + 1)), kind });
    } else if (line !== '') throw new Error(`${author}.txt:${index + 1}: unknown line ${line.slice(0, 60)}`);
  }
  return pairs;
}

/** The turns of a conversation are separated by `||`, user and assistant in turn. */
function readPrompt(text: string): Prompt {
  const turns = text.split('||').map((turn) => turn.trim());
  return {
    text,
    usersTurns: turns.filter((_, index) => index % 2 === 0),
    assistantsTurns: turns.filter((_, index) => index % 2 === 1),
  };
}

export const isConversation = ({ first }: WrittenPair) => first.assistantsTurns.length > 0;
