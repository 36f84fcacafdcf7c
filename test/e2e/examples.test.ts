/** The example that the README leads with, as a newcomer runs it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { recordProcess } from '../../tools/services/pid-file.ts';
import { runCli } from '../harness/run-cli.ts';
import { startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';

test('examples/kill-the-worker.ts kills the worker, and prints the whole text', async () => {
  const stack = await startStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'unbroken-example-'));
  try {
    const [worker] = stack.workers;
    if (worker === undefined) throw new Error('the stack has no worker');
    // As `npm start` does, which also starts another in its place.
    recordProcess(dataDir, 'worker', worker.pid());
    const environment = { UNBROKEN_DATA_DIR: dataDir };
    const running = runCli(stack.api, [], environment, 'examples/kill-the-worker.ts');
    await waitFor('the death of the worker', () => !worker.isRunning());
    await worker.restart();
    const { code, out, error } = await running;
    expect({ code, error }).toMatchObject({ code: 0 });
    expect(error).toContain('[attempt 1: reattach]');
    const brief = readFileSync(new URL('../../examples/brief.md', import.meta.url), 'utf8');
    expect(out).toBe((await stack.sim.text(brief)).text.trim());
  } finally {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
