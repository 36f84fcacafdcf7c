/**
 * Temporal, Redis and Qdrant as a hosting company offers them, on this machine: TLS with a private authority for each,
 * an API key and a client certificate for Temporal, a separate namespace whose search attributes only its owner adds,
 * a password for Redis, an API key for Qdrant. HAProxy stands before Temporal and Qdrant; Redis speaks TLS itself.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../tools/services/ports.ts';
import { findRedisExecutable } from '../../tools/services/programs/redis.js';
import { findOrInstall } from '../../tools/services/programs/system-package.js';
import { type RunningProcess, runProcess, untilHealthy } from '../../tools/services/run-process.ts';
import { checkNamespace } from '../../tools/services/temporal-namespace.ts';
import { PROJECT_ROOT } from './child-process.ts';
import { listensOn } from './listens-on.ts';
import { registerNamespace } from './register-namespace.ts';
import { waitFor } from './wait-for.ts';

export interface ManagedServices {
  /** What API, worker and tools need. */
  readonly env: Readonly<Record<string, string>>;
  /** A namespace that lacks our search attributes. */
  readonly bareNamespace: string;
  /** None of these may appear in any output. */
  readonly secrets: readonly string[];
  stop(): Promise<void>;
}

const API_KEY = 'temporal-cloud-key-0123456789';
const QDRANT_KEY = 'qdrant-cloud-key-0123456789';
const REDIS_PASSWORD = 'redis-cloud-password-0123456789';
const NAMESPACE = 'unbroken.a1b2c';
const BARE_NAMESPACE = 'bare.a1b2c';
const HEALTHY_MS = 30_000;
const silent = () => undefined;

/** @param shared TEMPORAL_ADDRESS and QDRANT_URL of the services without TLS. */
export async function startManagedServices(
  shared: Readonly<Record<string, string>>,
): Promise<ManagedServices> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-managed-'));
  const running: RunningProcess[] = [];
  const stop = async () => {
    await Promise.all(running.map((service) => service.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  const [temporal, qdrant, redis] = [await findFreePort(), await findFreePort(), await findFreePort()];
  try {
    for (const name of ['server', 'client']) makeCertificate(join(folder, name));
    await prepareNamespace(shared['TEMPORAL_ADDRESS'] ?? '');
    const config = frontConfig(folder, { temporal, qdrant }, shared);
    running.push(await startFront(folder, config, temporal), await startTlsRedis(folder, redis));
  } catch (error) {
    await stop();
    throw error;
  }
  const authority = join(folder, 'server', 'front.crt');
  return {
    env: {
      TEMPORAL_ADDRESS: `localhost:${temporal}`,
      TEMPORAL_NAMESPACE: NAMESPACE,
      TEMPORAL_API_KEY: API_KEY,
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: authority,
      TEMPORAL_TLS_CLIENT_CERT_PATH: join(folder, 'client', 'front.crt'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: join(folder, 'client', 'front.key'),
      REDIS_URL: `rediss://:${REDIS_PASSWORD}@localhost:${redis}`,
      QDRANT_URL: `https://localhost:${qdrant}`,
      QDRANT_API_KEY: QDRANT_KEY,
      NODE_EXTRA_CA_CERTS: authority,
    },
    bareNamespace: BARE_NAMESPACE,
    secrets: [API_KEY, QDRANT_KEY, REDIS_PASSWORD],
    stop,
  };
}

function makeCertificate(folder: string): void {
  execFileSync(process.execPath, ['tools/deploy/make-certificate.ts', folder], { cwd: PROJECT_ROOT });
}

/** As its owner does at the hosting company's console. */
async function prepareNamespace(address: string): Promise<void> {
  for (const name of [NAMESPACE, BARE_NAMESPACE]) await registerNamespace(address, name);
  const server = { address, tls: false, apiKey: undefined } as const;
  // A new namespace is known to all parts of Temporal a moment later.
  await waitFor(NAMESPACE, () => checkNamespace(server, NAMESPACE).catch(() => false));
}

/** Temporal Cloud refuses the operator service, as this does. */
function frontConfig(
  folder: string,
  ports: { readonly temporal: number; readonly qdrant: number },
  shared: Readonly<Record<string, string>>,
): string {
  const certificate = join(folder, 'server', 'front.pem');
  const clients = join(folder, 'client', 'front.crt');
  return `
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend temporal
  bind 127.0.0.1:${ports.temporal} ssl crt ${certificate} alpn h2 verify required ca-file ${clients}
  http-request deny deny_status 401 unless { req.hdr(authorization) -m str "Bearer ${API_KEY}" }
  http-request deny deny_status 403 if { path_beg /temporal.api.operatorservice. }
  default_backend temporal
backend temporal
  server temporal ${shared['TEMPORAL_ADDRESS']} proto h2
frontend qdrant
  bind 127.0.0.1:${ports.qdrant} ssl crt ${certificate} alpn h2,http/1.1
  http-request deny deny_status 401 unless { req.hdr(api-key) -m str "${QDRANT_KEY}" }
  default_backend qdrant
backend qdrant
  server qdrant ${new URL(shared['QDRANT_URL'] ?? '').host}
`;
}

async function startFront(folder: string, config: string, port: number): Promise<RunningProcess> {
  const path = join(folder, 'haproxy.cfg');
  writeFileSync(path, config);
  const haproxy = {
    name: 'HAProxy',
    programs: ['haproxy'],
    apt: 'haproxy',
    others: { brew: 'haproxy', dnf: 'haproxy', apk: 'haproxy' },
    instead: 'leave out this suite',
  };
  const command = await findOrInstall(haproxy, silent);
  const args = ['-db', '-f', path];
  const running = await runProcess({ name: 'front', command, args, dataDir: folder, report: silent });
  await untilHealthy('HAProxy', running, { deadlineMs: HEALTHY_MS, fix: 'Read the log.' }, () =>
    listensOn(port),
  );
  return running;
}

async function startTlsRedis(folder: string, port: number): Promise<RunningProcess> {
  const data = join(folder, 'data');
  mkdirSync(data);
  const certificate = (ending: string) => join(folder, 'server', `front.${ending}`);
  const args = ['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--dir', data];
  args.push('--tls-cert-file', certificate('crt'), '--tls-key-file', certificate('key'));
  args.push('--tls-ca-cert-file', certificate('crt'), '--tls-auth-clients', 'no');
  args.push('--requirepass', REDIS_PASSWORD, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '');
  const command = await findRedisExecutable(silent);
  const running = await runProcess({ name: 'redis', command, args, dataDir: folder, report: silent });
  await untilHealthy('Redis', running, { deadlineMs: HEALTHY_MS, fix: 'Read the log.' }, () =>
    listensOn(port),
  );
  return running;
}
