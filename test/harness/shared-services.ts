/**
 * Temporal, Redis and Qdrant, started once for a whole run and shared by its suites: every stack has its own task
 * queue and its own users, so suites do not see each other.
 */
import { provideServices } from '../../tools/services/provide-services.ts';

export interface SharedServices {
  /** TEMPORAL_ADDRESS, REDIS_URL, QDRANT_URL. */
  readonly env: Readonly<Record<string, string>>;
  /** Of those that were started for this run. */
  readonly pids: readonly number[];
  /** The same by name; undefined for one that the environment provides. */
  readonly pidOf: Readonly<Record<'temporal' | 'redis' | 'qdrant', number | undefined>>;
  stop(): Promise<void>;
}

export async function startSharedServices(): Promise<SharedServices> {
  const services = await provideServices({
    dataDir: '.unbroken',
    ports: 'free',
    ephemeral: true,
    report: (line) => {
      if (process.env['UNBROKEN_TEST_VERBOSE'] !== undefined) process.stderr.write(`${line}\n`);
    },
  });
  const { temporal, redis, qdrant } = services;
  const pids = [temporal, redis, qdrant].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  const pidOf = { temporal: temporal.pid, redis: redis.pid, qdrant: qdrant.pid };
  return { env: services.env, pids, pidOf, stop: () => services.stop() };
}
