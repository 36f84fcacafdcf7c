/** `unbroken batches submit`: what it writes, and that it may be interrupted. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { BATCH_MODEL, type OutputLine } from '../../harness/batches.ts';
import { PROJECT_ROOT } from '../../harness/child-process.ts';
import { promptOf } from '../../harness/prompt.ts';
import { runCli } from '../../harness/run-cli.ts';
import type { Stack } from '../../harness/stack.ts';

export interface CommandLineDesk {
  readonly stack: Stack;
  readonly folder: string;
}

export async function sendsPrompts({ stack, folder }: CommandLineDesk): Promise<void> {
  const prompt = promptOf({ tokens: 3 });
  const [path, out] = [join(folder, 'prompts.jsonl'), join(folder, 'answers.jsonl')];
  writeFileSync(
    path,
    [JSON.stringify(prompt), JSON.stringify({ id: 'bad', prompt: 'x', model: 'unknown/model' })].join('\n'),
  );
  const sent = await runCli(stack.api, ['batches', 'submit', path, '--out', out, '--model', BATCH_MODEL]);
  expect(sent.code).toBe(1);
  expect(sent.error).toContain('2/2 completed, 1 failed');
  const lines = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as OutputLine);
  expect(lines.map((line) => line.custom_id)).toEqual(['1']);
  expect(lines[0]?.response?.body.choices[0].message.content).toBe((await stack.sim.text(prompt)).text);
  expect(readFileSync(`${out}.errors.jsonl`, 'utf8')).toContain('"custom_id":"bad"');
  const id = /batch_[0-9a-f]{32}/.exec(sent.error)?.[0] ?? '';
  expect((await runCli(stack.api, ['batches', 'list'])).out).toContain(id);
  expect((await runCli(stack.api, ['batches', 'get', id])).out).toContain('completed');
  expect((await runCli(stack.api, ['batches', 'cancel', id])).code).toBe(1);
}

/** `unbroken batches submit`, which is interrupted once it has printed the id of its batch. */
function interruptedSubmit(
  { api }: Stack,
  path: string,
  out: string,
): Promise<{ code: number | null; error: string }> {
  return new Promise((resolve, reject) => {
    const submit = ['batches', 'submit', path, '--out', out, '--model', BATCH_MODEL];
    const child = spawn(process.execPath, ['bin/unbroken.js', ...submit], {
      cwd: PROJECT_ROOT,
      env: { ...process.env, UNBROKEN_URL: api.url, UNBROKEN_API_KEY: api.key },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let error = '';
    child.stderr.on('data', (chunk) => {
      error += chunk;
      // Its first progress is shown after the handler of the signal is there. A second signal would end it at once.
      if (!child.killed && error.includes('] 0/')) child.kill('SIGINT');
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, error }));
  });
}

export async function resumesItsBatch({ stack, folder }: CommandLineDesk): Promise<void> {
  const [path, out] = [join(folder, 'slow.jsonl'), join(folder, 'slow-answers.jsonl')];
  const prompts = Array.from({ length: 20 }, () => promptOf({ tokens: 10, delayMs: 100 }));
  writeFileSync(path, prompts.map((prompt) => JSON.stringify(prompt)).join('\n'));
  const left = await interruptedSubmit(stack, path, out);
  const id = /batch_[0-9a-f]{32}/.exec(left.error)?.[0] ?? '';
  expect(left.code).toBe(130);
  expect(left.error).toContain(`npx unbroken batches get ${id} --out ${out}`);
  expect(existsSync(out)).toBe(false);
  const submit = ['batches', 'submit', path, '--out', out, '--model', BATCH_MODEL];
  const resumed = await runCli(stack.api, submit);
  expect(resumed).toMatchObject({ code: 0, error: expect.stringContaining(id) });
  expect(resumed.error).toContain('An earlier command has submitted these lines.');
  expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(prompts.length);
  // The next one is another batch.
  const again = await runCli(stack.api, [...submit, '--detach']);
  expect(again.out).toMatch(/^batch_/);
  expect(again.out).not.toBe(id);
  // With a key of the caller, the same lines join the batch that has it.
  const keyed = ['batches', 'submit', path, '--model', BATCH_MODEL, '--detach', '--idempotency-key', 'slow'];
  const [first, second] = [await runCli(stack.api, keyed), await runCli(stack.api, keyed)];
  expect(second.out).toBe(first.out);
}
