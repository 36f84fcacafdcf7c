/**
 * Kills the worker in the middle of a report, with SIGKILL, and keeps printing. Run `npm start` first: it starts a new
 * worker, which resumes the answer.
 */
import { readFile } from 'node:fs/promises';
import { createClient } from '../clients/typescript/index.ts';
import { readClientEnvironment } from '../platform/config/client-environment.ts';
import { runningPid } from '../tools/services/pid-file.ts';

const environment = readClientEnvironment();
// A stored answer would need no worker, so the cache is off.
const input = await readFile(new URL('brief.md', import.meta.url), 'utf8');
let deltas = 0;
for await (const event of await createClient(environment).generate({ input, cache: 'off' })) {
  if (event.type === 'provider-start') console.error(`\n[attempt ${event.attempt}: ${event.strategy}]`);
  if (event.type === 'text-reset') process.stdout.write('\n--- the text above is void ---\n');
  if (event.type !== 'text-delta') continue;
  process.stdout.write(event.text);
  deltas += 1;
  if (deltas === 150) {
    const pid = runningPid(environment.dataDir, 'worker');
    if (pid === undefined) throw new Error(`No worker runs in ${environment.dataDir}. Run npm start there.`);
    console.error(`\n[kill -9 ${pid}: the worker is dead]`);
    process.kill(pid, 'SIGKILL');
  }
}
