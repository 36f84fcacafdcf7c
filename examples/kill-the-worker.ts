/**
 * Kills the worker in the middle of a report, with SIGKILL, and goes on printing. Run `npm start` first.
 * bin/start.ts supervises the worker: it writes .unbroken/run/worker.pid and starts a new worker in its place.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '../client/index.ts';
import { readClientEnvironment } from '../config/client-environment.ts';

const environment = readClientEnvironment();
const input = await readFile(new URL('brief.md', import.meta.url), 'utf8');
let deltas = 0;
for await (const event of await createClient(environment).generate({ input })) {
  if (event.type === 'provider-start') console.error(`\n[attempt ${event.attempt}: ${event.strategy}]`);
  if (event.type === 'text-reset') process.stdout.write('\n--- the text above is void ---\n');
  if (event.type !== 'text-delta') continue;
  process.stdout.write(event.text);
  deltas += 1;
  if (deltas === 150) {
    const pid = Number(await readFile(join(environment.dataDir, 'run', 'worker.pid'), 'utf8'));
    if (!Number.isInteger(pid) || pid <= 1) throw new Error('worker.pid holds no process id; run npm start.');
    console.error(`\n[kill -9 ${pid}: the worker is dead]`);
    process.kill(pid, 'SIGKILL');
  }
}
