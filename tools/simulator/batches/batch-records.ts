/**
 * What the vendors keep of files and batches, on disk: the death of the process loses none of it, as a vendor loses
 * none. One JSON object per line, in the order in which things happened.
 */
import { appendFileSync, existsSync, openSync, readFileSync, truncateSync } from 'node:fs';
import type { RunChange } from './batch-run.ts';

type BatchRecord =
  | { readonly of: 'file'; readonly file: FileRecord }
  | { readonly of: 'deleted-file'; readonly id: string }
  | { readonly of: 'openai' | 'anthropic'; readonly id: string; readonly batch: object }
  | {
      readonly of: 'results';
      readonly id: string;
      readonly output: string | null;
      readonly errors: string | null;
    }
  | { readonly of: 'change'; readonly id: string; readonly change: RunChange }
  | { readonly of: 'deleted-batch'; readonly id: string };

interface FileRecord {
  readonly id: string;
  readonly apiKey: string;
  readonly filename: string;
  readonly purpose: string;
  readonly base64: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

export interface BatchRecords {
  /** From before this process. */
  readonly earlier: readonly BatchRecord[];
  add(record: BatchRecord): void;
}

/** @param path undefined: nothing is kept. */
export function openBatchRecords(path: string | undefined): BatchRecords {
  if (path === undefined) return { earlier: [], add: () => undefined };
  const earlier = existsSync(path) ? readRecords(path) : [];
  const file = openSync(path, 'a');
  // Each reaches the kernel before the call returns.
  return { earlier, add: (record) => appendFileSync(file, `${JSON.stringify(record)}\n`) };
}

/** A process that died while it wrote a long record has left a part of it, which nobody was answered for. */
function readRecords(path: string): BatchRecord[] {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf('\n') + 1;
  truncateSync(path, end);
  const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as BatchRecord);
}
