import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { keepSimulator } from '../../../tools/services/keep-simulator.ts';
import { waitFor } from '../../harness/wait-for.ts';

test('a simulator that is killed comes back at the same address', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-simulator-'));
  const simulator = await keepSimulator(folder, () => undefined);
  const answers = () =>
    fetch(`${simulator.url}/_sim/calls`).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    expect(await answers()).toBe(true);
    for (let death = 0; death < 2; death += 1) {
      const pid = simulator.pid();
      process.kill(pid, 'SIGKILL');
      await waitFor('another process runs', () => simulator.pid() !== pid);
      await waitFor('it answers where it did before', answers);
    }
  } finally {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
