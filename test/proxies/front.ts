/** nginx or HAProxy before an API, with the configuration of tools/deploy/ that docker-compose.yml and the docs use. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../tools/services/ports.ts';
import { findOrInstall, type SystemPackage } from '../../tools/services/programs/system-package.js';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { listensOn } from '../harness/listens-on.ts';
import { waitFor } from '../harness/wait-for.ts';

export const fronts = ['nginx', 'haproxy'] as const;
type FrontName = (typeof fronts)[number];

export interface Front {
  readonly url: string;
  /** The certificate, which signs itself. */
  readonly ca: string;
  stop(): Promise<void>;
}

const packageOf = (name: FrontName): SystemPackage => ({
  name,
  programs: [name],
  apt: name,
  others: { brew: name, dnf: name, apk: name },
  instead: 'run the tests without those of proxies: npm test -- test/e2e',
});

export function findProxy(name: FrontName): Promise<string> {
  return findOrInstall(packageOf(name), (line) => void process.stderr.write(`${line}\n`));
}

/** @param idleSeconds the silence after which it cuts */
export async function startFront(name: FrontName, apiUrl: string, idleSeconds: number): Promise<Front> {
  const executable = await findProxy(name);
  const folder = mkdtempSync(join(tmpdir(), `unbroken-${name}-`));
  execFileSync(process.execPath, ['tools/deploy/make-certificate.ts', folder], { cwd: PROJECT_ROOT });
  const port = await findFreePort();
  const settings = {
    FRONT_API: new URL(apiUrl).host,
    FRONT_LISTEN: `127.0.0.1:${port}`,
    FRONT_CERTIFICATES: folder,
    FRONT_IDLE_SECONDS: String(idleSeconds),
    FRONT_REQUESTS_PER_SECOND: '1000',
  };
  const args =
    name === 'nginx' ? nginxArguments(folder, settings) : ['-db', '-f', 'tools/deploy/haproxy.cfg'];
  const child = spawn(executable, args, {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitFor(`${name} on ${port}`, () => listens(child, port, () => output));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `https://127.0.0.1:${port}`, ca: readFileSync(join(folder, 'front.crt'), 'utf8'), stop };
}

/** The template is a part of the block http; the rest keeps nginx in its folder. */
function nginxArguments(folder: string, settings: Readonly<Record<string, string>>): string[] {
  const template = readFileSync(join(PROJECT_ROOT, 'tools/deploy/nginx.conf.template'), 'utf8');
  // As envsubst does in the image.
  const front = template.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => settings[variable] ?? '');
  writeFileSync(join(folder, 'front.conf'), front);
  mkdirSync(join(folder, 'temporary'));
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = [
    process.getuid?.() === 0 ? 'user root;' : '',
    'daemon off;',
    'worker_processes 1;',
    'pid nginx.pid;',
    'error_log stderr;',
    'events { worker_connections 1024; }',
    'http {',
    'access_log off;',
    ...kinds.map((kind) => `${kind}_temp_path temporary/${kind};`),
    'include front.conf;',
    '}',
  ];
  writeFileSync(join(folder, 'nginx.conf'), config.join('\n'));
  return ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')];
}

function listens(child: ChildProcess, port: number, output: () => string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output()}`);
  return listensOn(port);
}
