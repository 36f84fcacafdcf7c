/** `openai` from PyPI: installed by pip into its own folder, kept for the next time. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { providePython } from '../python-venv.ts';
import {
  AFTER_SILENCE,
  BEHAVIOURS,
  type Behaviour,
  type Bench,
  LONG,
  MODEL,
  question,
  TOOL_ARGUMENTS,
  TOOL_RESULT,
  TOOL_SCHEMA,
  toolQuestion,
} from './bench.ts';

const run = promisify(execFile);
const VERSION = '3.54.0';
const ANSWER_WITHIN_MS = 120_000;

/** What each behaviour says: '' where it passed. */
export async function tryPython(bench: Bench): Promise<Readonly<Record<Behaviour, string>>> {
  let python: string;
  try {
    python = await providePython('openai', VERSION);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return sameForAll(`Python's client could not be installed; it needs python3 with venv and pip (${why})`);
  }
  const plan = {
    url: bench.url,
    key: bench.key,
    model: MODEL,
    tokens: 60,
    tool_question: toolQuestion(),
    tool_result: TOOL_RESULT,
    tool_schema: TOOL_SCHEMA,
    tool_arguments: TOOL_ARGUMENTS,
    plain: await question(bench),
    streaming: await question(bench, AFTER_SILENCE),
    resume: await question(bench, { tokens: 120, delayMs: 4 }),
    cancel: await question(bench, LONG),
  };
  const script = join(import.meta.dirname, 'python_client.py');
  const { stdout } = await run(python, [script, JSON.stringify(plan)], {
    timeout: ANSWER_WITHIN_MS,
  });
  return z.record(z.enum(BEHAVIOURS), z.string()).parse(JSON.parse(stdout));
}

function sameForAll(text: string): Record<Behaviour, string> {
  return { plain: text, streaming: text, 'tool call': text, resume: text, error: text, cancel: text };
}
