/** Temporal, Redis and Qdrant at once: each one is found or started, watched, and stopped at the end. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { qdrantUrlSchema } from '../../platform/config/qdrant-schema.ts';
import { readTemporalServer } from '../../platform/config/temporal-environment.ts';
import { findFreePort, preferPort } from './ports.ts';
import { findQdrantExecutable } from './programs/qdrant.js';
import { findRedisExecutable } from './programs/redis.js';
import { type Environment, type Report, seconds } from './programs/service-error.js';
import { findTemporalExecutable } from './programs/temporal-cli.js';
import { checkQdrant, QDRANT_PORT, startQdrant } from './provide-qdrant.ts';
import { checkRedis, REDIS_PORT, startRedis } from './provide-redis.ts';
import { checkTemporal, startTemporal, TEMPORAL_PORT, TEMPORAL_UI_PORT } from './provide-temporal.ts';
import type { RunningProcess } from './run-process.ts';
import { type Supervised, supervise } from './supervise.ts';

interface ServicesOrder {
  readonly dataDir: string;
  /** default: the usual ports where they are free. free (the default): any. */
  readonly ports?: 'free' | 'default';
  /** The data is kept in a temporary folder, which `stop` removes. */
  readonly ephemeral?: boolean;
  /** The config names Redis: it is neither started nor checked here. */
  readonly isRedisElsewhere?: boolean;
  /** A service that dies is started again on the same port and data. */
  readonly keepAlive?: boolean;
  readonly report: Report;
  readonly env?: Environment;
}

interface ProvidedServices {
  /** `pid` is absent for a service that was not started here (TEMPORAL_ADDRESS, REDIS_URL, QDRANT_URL). */
  readonly temporal: { readonly address: string; readonly uiUrl: string; readonly pid?: number };
  /** `url` is empty where the config names it. */
  readonly redis: { readonly url: string; readonly pid?: number };
  readonly qdrant: { readonly url: string; readonly pid?: number };
  /** What child processes need to find the services. */
  readonly env: Record<string, string>;
  /** Resolves with the reason when a service that is kept alive is given up. */
  readonly givenUp: Promise<string>;
  stop(): Promise<void>;
}

const REDIS_OF_THE_CONFIG: ProvidedServices['redis'] = { url: '' };

interface Place {
  readonly dataDir: string;
  readonly env: Environment;
  readonly report: Report;
  readonly choosePort: (name: string, usual: number) => Promise<number>;
  readonly hold: (name: string, running: RunningProcess, again: () => Promise<RunningProcess>) => Held;
}

interface Held {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Throws ServiceError, after stopping what was already started, when one of the three cannot be provided. */
export async function provideServices(order: ServicesOrder): Promise<ProvidedServices> {
  const { report, env = process.env, keepAlive = false } = order;
  const dataDir = order.ephemeral ? await mkdtemp(join(tmpdir(), 'unbroken-')) : resolve(order.dataDir);
  const held: Held[] = [];
  const givenUp: Promise<string>[] = [];
  const place: Place = {
    dataDir,
    env,
    report,
    choosePort: (name, usual) =>
      order.ports === 'default' ? preferPort(name, usual, report) : findFreePort(),
    hold: (name, running, again) => {
      const watched: Supervised | undefined = keepAlive ? supervise(name, running, again, report) : undefined;
      if (watched !== undefined) givenUp.push(watched.givenUp);
      const service = watched ?? { pid: running.pid, stop: () => running.stop() };
      held.push(service);
      return service;
    },
  };
  const stop = async () => {
    await Promise.all(held.map((service) => service.stop()));
    if (order.ephemeral) await rm(dataDir, { recursive: true, force: true });
  };
  const started = await Promise.allSettled([
    provideTemporal(place),
    order.isRedisElsewhere ? REDIS_OF_THE_CONFIG : provideRedis(place),
    provideQdrant(place),
  ]);
  const [temporal, redis, qdrant] = started;
  if (temporal.status === 'fulfilled' && redis.status === 'fulfilled' && qdrant.status === 'fulfilled') {
    return {
      temporal: temporal.value,
      redis: redis.value,
      qdrant: qdrant.value,
      env: {
        TEMPORAL_ADDRESS: temporal.value.address,
        ...(temporal.value.uiUrl === '' ? {} : { TEMPORAL_UI_URL: temporal.value.uiUrl }),
        ...(redis.value.url === '' ? {} : { REDIS_URL: redis.value.url }),
        QDRANT_URL: qdrant.value.url,
      },
      givenUp: givenUp.length === 0 ? new Promise(() => undefined) : Promise.race(givenUp),
      stop,
    };
  }
  await stop();
  throw started.find((outcome) => outcome.status === 'rejected')?.reason;
}

async function provideTemporal(place: Place): Promise<ProvidedServices['temporal']> {
  const { dataDir, env, report } = place;
  const begunAt = Date.now();
  const namedAddress = env['TEMPORAL_ADDRESS'];
  if (namedAddress) {
    const { server, namespace } = readTemporalServer(env);
    await checkTemporal(server, namespace);
    report(`temporal: ${namedAddress}, from TEMPORAL_ADDRESS`);
    return { address: namedAddress, uiUrl: env['TEMPORAL_UI_URL'] ?? '' };
  }
  const executable = await findTemporalExecutable(report, env);
  const port = await place.choosePort('temporal', TEMPORAL_PORT);
  const uiPort = await place.choosePort('temporal UI', TEMPORAL_UI_PORT);
  const start = () => startTemporal({ executable, dataDir, port, uiPort, report });
  const running = await start();
  const held = place.hold('temporal', running.process, async () => (await start()).process);
  report(`temporal: ready on ${running.address} in ${seconds(begunAt)}`);
  const { address, uiUrl } = running;
  return {
    address,
    uiUrl,
    get pid() {
      return held.pid;
    },
  };
}

async function provideRedis(place: Place): Promise<ProvidedServices['redis']> {
  const { dataDir, env, report } = place;
  const begunAt = Date.now();
  const namedUrl = env['REDIS_URL'];
  if (namedUrl) {
    await checkRedis(namedUrl);
    report('redis: the one that REDIS_URL names');
    return { url: namedUrl };
  }
  const executable = await findRedisExecutable(report, env);
  const port = await place.choosePort('redis', REDIS_PORT);
  const start = () => startRedis({ executable, dataDir, port, report });
  const running = await start();
  const held = place.hold('redis', running.process, async () => (await start()).process);
  report(`redis: ready on ${running.url} in ${seconds(begunAt)}`);
  return {
    url: running.url,
    get pid() {
      return held.pid;
    },
  };
}

async function provideQdrant(place: Place): Promise<ProvidedServices['qdrant']> {
  const { dataDir, env, report } = place;
  const begunAt = Date.now();
  const named = env['QDRANT_URL'];
  if (named) {
    const namedUrl = qdrantUrlSchema.parse(named);
    await checkQdrant(namedUrl);
    report(`qdrant: ${namedUrl}, from QDRANT_URL`);
    return { url: namedUrl };
  }
  const executable = await findQdrantExecutable(report, env);
  const port = await place.choosePort('qdrant', QDRANT_PORT);
  const start = () => startQdrant({ executable, dataDir, port, report });
  const running = await start();
  const held = place.hold('qdrant', running.process, async () => (await start()).process);
  report(`qdrant: ready on ${running.url} in ${seconds(begunAt)}`);
  return {
    url: running.url,
    get pid() {
      return held.pid;
    },
  };
}
