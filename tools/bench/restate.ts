/** The durable peer: Restate's server, installed once from npm into the cache, and a process for its service. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChildHandle, startChild } from '../../test/harness/child-process.ts';
import { findFreePort, LOOPBACK } from '../services/ports.ts';
import { cachedProgram, runCommand } from '../services/programs/executables.js';
import { ServiceError } from '../services/programs/service-error.js';
import { runProcess, untilHealthy } from '../services/run-process.ts';

const VERSION = '1.7.12';
const PACKAGE = '@restatedev/restate-server-linux-x64';
const INSTALL_MS = 5 * 60_000;
const READY_MS = 60_000;

export interface RestatePeer {
  /** Takes chat completions. */
  readonly url: string;
  /** By name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Kills the process that reads from the provider, and starts it again. */
  restartService(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it in front of a provider that speaks chat completions at `providerUrl` (with /v1). */
export async function startRestate(providerUrl: string): Promise<RestatePeer> {
  const command = await installedServer();
  const dataDir = mkdtempSync(join(tmpdir(), 'unbroken-restate-'));
  const ports = {
    ingress: await findFreePort(),
    admin: await findFreePort(),
    node: await findFreePort(),
    service: await findFreePort(),
    front: await findFreePort(),
  };
  const address = (port: number) => `${LOOPBACK}:${port}`;
  const server = await runProcess({
    name: 'restate',
    command,
    args: ['--no-logo', '--node-name', 'bench', '--base-dir', join(dataDir, 'data'), '--listen-mode', 'tcp'],
    dataDir,
    env: {
      RESTATE_BIND_ADDRESS: address(ports.node),
      RESTATE_ADVERTISED_ADDRESS: `http://${address(ports.node)}`,
      RESTATE_INGRESS__BIND_ADDRESS: address(ports.ingress),
      RESTATE_ADMIN__BIND_ADDRESS: address(ports.admin),
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'error',
    },
    report: () => undefined,
  });
  const adminUrl = `http://${address(ports.admin)}`;
  let service: ChildHandle | undefined;
  const stop = async () => {
    await service?.end();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  const start = () =>
    startChild('the service of Restate', 'tools/bench/restate-service.ts', {
      BENCH_PROVIDER_URL: providerUrl,
      BENCH_INGRESS_URL: `http://${address(ports.ingress)}`,
      BENCH_PORT: String(ports.front),
      BENCH_SERVICE_PORT: String(ports.service),
    });
  try {
    const limits = { deadlineMs: READY_MS, fix: 'Read its log.' };
    await untilHealthy('Restate', server, limits, async () => (await fetch(`${adminUrl}/health`)).ok);
    service = await start();
    await register(adminUrl, `http://${address(ports.service)}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: service.url,
    pids: { Restate: server.pid, service: service.pid },
    restartService: async () => {
      await service?.signal('SIGKILL');
      service = await start();
    },
    stop,
  };
}

async function register(adminUrl: string, serviceUrl: string): Promise<void> {
  const registered = await fetch(`${adminUrl}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: serviceUrl }),
  });
  if (registered.ok) return;
  const fix = 'The SDK and the server may not go together: compare their versions.';
  throw new ServiceError(`Restate did not take its service: ${await registered.text()}`, fix);
}

function installedServer(): Promise<string> {
  const place = { folder: `restate-${VERSION}`, program: 'restate-server', env: process.env };
  return cachedProgram(place, async (workshop) => {
    process.stderr.write(`restate: installing ${VERSION} from npm (some seconds, once)\n`);
    const args = ['install', '--no-audit', '--no-fund', '--prefix', workshop, `${PACKAGE}@${VERSION}`];
    const { code, output } = await runCommand('npm', args, { timeoutMs: INSTALL_MS });
    if (code !== 0) {
      const fix = 'Check npm and the network; there is a build for Linux on x64 alone.';
      throw new ServiceError(`Restate could not be installed:\n${output}`, fix);
    }
    return join(workshop, 'node_modules', PACKAGE, 'bin', 'restate-server');
  });
}
