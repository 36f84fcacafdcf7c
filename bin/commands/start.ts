/** `unbroken start`: what `npm start` does in a clone, in any folder. The data and the config are in that folder. */
import { delimiter, join } from 'node:path';
import type { Command } from 'commander';
import { cacheDirectory } from '../../tools/services/programs/executables.js';
import { findProgramFolders } from '../../tools/services/programs/find-programs.js';
import { reasonOf } from '../../tools/services/programs/service-error.js';

interface StartFlags {
  readonly port?: string;
  readonly config?: string;
}

export function defineStart(command: Command): void {
  command
    .option('--port <port>', 'of the API; default: UNBROKEN_PORT or 8787; 0: any free one')
    .option('--config <file>', 'default: UNBROKEN_CONFIG or unbroken.config.yaml, if there is one')
    .addHelpText(
      'after',
      [
        '\nThe first start fetches the programs of Temporal, Redis and Qdrant into ~/.cache/unbroken. One that you have',
        'is used where TEMPORAL_ADDRESS, REDIS_URL or QDRANT_URL names it. Data and logs: .unbroken in this folder, or',
        'UNBROKEN_DATA_DIR. Without an API key of a provider, the simulated provider answers.',
      ].join('\n'),
    )
    .action(startHere);
}

async function startHere({ port, config }: StartFlags): Promise<void> {
  const { env } = process;
  if (port !== undefined) env['UNBROKEN_PORT'] = port;
  if (config !== undefined) env['UNBROKEN_CONFIG'] = config;
  try {
    const folders = await findProgramFolders((line) => console.error(line));
    env['PATH'] = [...folders, env['PATH']].join(delimiter);
    // Every process of ours compiles the same modules: with the results kept, its start takes half the CPU time.
    env['NODE_COMPILE_CACHE'] ??= join(cacheDirectory(), 'node-compile');
  } catch (error) {
    console.error(reasonOf(error));
    process.exitCode = 1;
    return;
  }
  // npx passes no signal on when it is killed: then the parent changes, and everything stops.
  if (env['npm_lifecycle_event'] !== undefined) env['UNBROKEN_PARENT_PID'] ??= String(process.ppid);
  await import('../start.ts');
}
