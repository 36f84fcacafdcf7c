/** `openai` from PyPI: installed by pip into its own folder, kept for the next time. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_ROOT } from '../child-process.ts';
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
const FOLDER = join(PROJECT_ROOT, '.unbroken', `python-openai-${VERSION}`);
const INSTALL_WITHIN_MS = 300_000;
const ANSWER_WITHIN_MS = 120_000;

/** @returns the Python that has the client; what to do where there can be none. */
async function providePython(): Promise<{ readonly python: string } | { readonly missing: string }> {
  const python = join(FOLDER, 'bin', 'python');
  const isInstalled = join(FOLDER, 'installed');
  if (existsSync(isInstalled)) return { python };
  try {
    await run('python3', ['-m', 'venv', '--clear', FOLDER], { timeout: INSTALL_WITHIN_MS });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `openai==${VERSION}`];
    await run(python, pip, { timeout: INSTALL_WITHIN_MS });
    await run(python, ['-c', `open(${JSON.stringify(isInstalled)}, 'w').close()`]);
    return { python };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { missing: `Python's client could not be installed; it needs python3 with venv and pip (${why})` };
  }
}

/** What each behaviour says: '' where it passed. */
export async function tryPython(bench: Bench): Promise<Readonly<Record<Behaviour, string>>> {
  const provided = await providePython();
  if ('missing' in provided) return sameForAll(provided.missing);
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
  const { stdout } = await run(provided.python, [script, JSON.stringify(plan)], {
    timeout: ANSWER_WITHIN_MS,
  });
  return z.record(z.enum(BEHAVIOURS), z.string()).parse(JSON.parse(stdout));
}

function sameForAll(text: string): Record<Behaviour, string> {
  return { plain: text, streaming: text, 'tool call': text, resume: text, error: text, cancel: text };
}
