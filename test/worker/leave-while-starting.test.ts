/** A process that waits for Redis leaves when it is asked to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { findFreePort } from '../../tools/services/ports.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { waitFor } from '../harness/wait-for.ts';

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

/** A Temporal that says nothing: a worker whose connection is refused gives up. */
let silent: Server;
beforeAll(async () => {
  silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
});
afterAll(() => {
  silent.close();
});

test.each([
  ['the API', ['api/main.ts']],
  ['a worker', ['--import', './worker/vm-without-watchdog.ts', 'worker/main.ts']],
])(
  '%s that waits for Redis ends by itself on SIGTERM, as process 1 of a container must',
  async (_name, args) => {
    const nowhere = await findFreePort();
    const { port } = silent.address() as AddressInfo;
    const env = {
      ...process.env,
      UNBROKEN_CONFIG: '',
      REDIS_URL: `redis://127.0.0.1:${nowhere}`,
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    };
    const started = spawn(process.execPath, args, {
      cwd: PROJECT_ROOT,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = started;
    let log = '';
    started.stderr.on('data', (bytes: Buffer) => {
      log += bytes.toString();
    });
    await waitFor('it to look for Redis', () => log.includes('ECONNREFUSED'));
    started.kill('SIGTERM');
    // A process that a signal has ended has no code.
    expect(await once(started, 'exit')).toEqual([0, null]);
  },
);
