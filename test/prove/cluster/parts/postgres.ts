/** One PostgreSQL on loopback, as its own user where this process is root, which PostgreSQL refuses to be. */
import { chownSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../../../../tools/services/programs/executables.js';
import { type Report, ServiceError } from '../../../../tools/services/programs/service-error.js';
import { findOrInstall } from '../../../../tools/services/programs/system-package.js';
import { type RunningProcess, runProcess, untilHealthy } from '../../../../tools/services/run-process.ts';

export const POSTGRES_USER = 'temporal';
const SYSTEM_USER = 'postgres';
const VERSIONS = [18, 17, 16, 15, 14, 13];
const RUN_MS = 60_000;
const HEALTHY_MS = 60_000;
const FIX = 'Read the log.';

export interface Postgres {
  readonly port: number;
  /** Starts it, the first time and after each end, on the same data. */
  start(): Promise<RunningProcess>;
  /** The first value of the only row. */
  query(sql: string): Promise<string>;
  remove(): void;
}

export async function preparePostgres(port: number, report: Report): Promise<Postgres> {
  // What is on PATH may be a link to it, without the other programs beside it.
  const bin = dirname(realpathSync(await findPostgres(report)));
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-postgres-'));
  const data = join(folder, 'data');
  const asUser = await systemUser(folder);
  const run = async (program: string, args: readonly string[]) => {
    const [command = '', ...rest] = [...asUser, join(bin, program), ...args];
    const { code, output } = await runCommand(command, rest, { timeoutMs: RUN_MS, cwd: folder });
    if (code !== 0) throw new ServiceError(`${program} failed: ${output}`, FIX);
    return output;
  };
  const reach = ['-h', '127.0.0.1', '-p', String(port), '-U', POSTGRES_USER];
  const init = [
    '-D',
    data,
    '-U',
    POSTGRES_USER,
    '--auth=trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-instructions',
  ];
  await run('initdb', init);
  return {
    port,
    start: async () => {
      const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];
      const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
      // Should this process be killed: SIGINT ends PostgreSQL without waiting for its clients.
      const tied = asUser.length === 0 ? [] : [...asUser, '--pdeathsig', 'INT'];
      const [command = '', ...rest] = [...tied, join(bin, 'postgres'), ...args];
      const spec = { name: 'postgres', command, args: rest, dataDir: folder, cwd: folder, report };
      const running = await runProcess(spec);
      const isReady = () => run('pg_isready', reach).then(() => true);
      await untilHealthy('PostgreSQL', running, { deadlineMs: HEALTHY_MS, fix: FIX }, isReady);
      return { ...running, stop: (graceMs) => stopFast(running, graceMs) };
    },
    query: (sql) => run('psql', [...reach, '-d', 'postgres', '-At', '-c', sql]),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** SIGTERM waits for all clients to leave; SIGINT does not. */
async function stopFast(running: RunningProcess, graceMs?: number): Promise<void> {
  try {
    process.kill(running.pid, 'SIGINT');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  await running.stop(graceMs);
}

function findPostgres(report: Report): Promise<string> {
  const folders = VERSIONS.map((version) => `/usr/lib/postgresql/${version}/bin`);
  const wanted = {
    name: 'PostgreSQL',
    programs: ['postgres'],
    apt: 'postgresql',
    others: { brew: 'postgresql@17', dnf: 'postgresql-server', apk: 'postgresql17' },
    instead: 'leave out this proof',
  };
  return findOrInstall(wanted, report, {
    ...process.env,
    PATH: [process.env['PATH'] ?? '', ...folders].join(':'),
  });
}

/** How to run a command as PostgreSQL's user, which gets the folder; empty where this process is not root. */
async function systemUser(folder: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const number = async (option: string) => {
    const { output } = await runCommand('id', [option, SYSTEM_USER], { timeoutMs: RUN_MS });
    return Number(output);
  };
  chownSync(folder, await number('-u'), await number('-g'));
  return ['setpriv', `--reuid=${SYSTEM_USER}`, `--regid=${SYSTEM_USER}`, '--clear-groups'];
}
