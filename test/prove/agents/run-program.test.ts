import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { runProgram } from './run-program.ts';

const LIMITS = { env: {}, cwd: tmpdir(), withinMs: 20_000 };

test('a program that has ended is reported, although none of its group is left to kill', async () => {
  const ran = await runProgram([process.execPath, '-e', 'console.log("done")'], LIMITS);
  expect(ran).toEqual({ stdout: 'done\n', stderr: '', code: 0 });
});
