/** STAND-IN until services/ is there: Temporal, Redis and Qdrant on free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

export async function provideServices(request: { dataDir: string }): Promise<{
  env: Record<string, string>;
  stop: () => Promise<void>;
}> {
  const [temporal, redis, qdrant, qdrantGrpc] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const children: ChildProcess[] = [];
  const start = (command: string, args: string[], env: Record<string, string> = {}) =>
    children.push(
      spawn(command, args, { stdio: 'ignore', cwd: request.dataDir, env: { ...process.env, ...env } }),
    );
  start('temporal', [
    ...['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(temporal)],
    ...['--db-filename', join(request.dataDir, 'temporal.db'), '--log-level', 'error'],
    ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=NORMAL'],
    ...['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
    ...['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
    ...Object.entries(SEARCH_ATTRIBUTES).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
  ]);
  start('redis-server', [
    '--port',
    String(redis),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    request.dataDir,
  ]);
  start('qdrant', [], {
    QDRANT__SERVICE__HOST: '127.0.0.1',
    QDRANT__SERVICE__HTTP_PORT: String(qdrant),
    QDRANT__SERVICE__GRPC_PORT: String(qdrantGrpc),
    QDRANT__STORAGE__STORAGE_PATH: join(request.dataDir, 'qdrant'),
    QDRANT__TELEMETRY_DISABLED: 'true',
  });
  await Promise.all([temporal, redis, qdrant].map((port) => waitFor(`port ${port}`, () => accepts(port))));
  return {
    env: {
      TEMPORAL_ADDRESS: `127.0.0.1:${temporal}`,
      REDIS_URL: `redis://127.0.0.1:${redis}`,
      QDRANT_URL: `http://127.0.0.1:${qdrant}`,
    },
    stop: async () => {
      await Promise.all(
        children.map(
          (child) =>
            new Promise<void>((resolve) => {
              if (child.exitCode !== null) return resolve();
              child.once('exit', () => resolve());
              child.kill('SIGTERM');
            }),
        ),
      );
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
