/** The lease of this process in Redis. */
import { parseJson } from '../../contracts/json.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS } from '../../contracts/time.ts';
import { askScriptForTexts, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import { LEAVE, RENEW, TAKE_OVER } from './lease-scripts.ts';
import type { LeasedRun } from './run-leases.ts';

/** A gap in the renewals of all processes after which no lease is judged, as a share of `silentMs`. */
const GAP = 0.6;
/** How long no lease is judged after such a gap. */
const GRACE_MS = 1_000;
/** Runs of processes that died together are still taken over after this, by the first process that starts again. */
const KEPT_MS = DAY_MS;

export interface LeaseName {
  readonly taskQueue: string;
  /** Unique; its identity at Temporal if it is a worker. */
  readonly process: string;
  /** A lease that was not renewed for this long has expired. */
  readonly silentMs: number;
}

interface Renewal {
  /** Runs that this process works on, as JSON, by their fields. */
  readonly held: Readonly<Record<string, string>>;
  readonly dropped: readonly string[];
  /** Whether leases of others are judged. */
  readonly judges: boolean;
}

export interface LeaseRedis extends ScriptRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
}

export class RedisLease {
  readonly #redis: LeaseRedis;
  readonly #name: LeaseName;

  constructor(redis: LeaseRedis, name: LeaseName) {
    this.#redis = redis;
    this.#name = name;
  }

  /** @returns whether Redis knew this process, and the processes whose lease has expired. */
  async renew(
    renewal: Renewal,
  ): Promise<{ readonly wasKnown: boolean; readonly expired: readonly string[] }> {
    const { taskQueue, process, silentMs } = this.#name;
    const [isNew, ...expired] = await askScriptForTexts(this.#redis, RENEW, {
      keys: [this.#processes(), this.#runs(process), REDIS_KEYS.leaseHold(taskQueue)],
      ask: {
        ...renewal,
        process,
        silentMs,
        gapMs: Math.ceil(silentMs * GAP),
        graceMs: Math.max(GRACE_MS, 2 * silentMs),
        keptMs: KEPT_MS,
      },
    });
    return { wasKnown: isNew === '0', expired };
  }

  /** @returns the runs of an expired process by their fields; null if it lives, or another process has taken them. */
  async takeOver(expired: string): Promise<ReadonlyMap<string, LeasedRun> | null> {
    const { taskQueue, process, silentMs } = this.#name;
    const [answer, ...pairs] = await askScriptForTexts(this.#redis, TAKE_OVER, {
      keys: [this.#processes(), this.#runs(expired), this.#runs(process), REDIS_KEYS.leaseHold(taskQueue)],
      ask: { process, expired, silentMs },
    });
    if (answer !== 'taken') return null;
    const runs = new Map<string, LeasedRun>();
    for (let index = 0; index + 1 < pairs.length; index += 2) {
      runs.set(pairs[index] ?? '', parseJson(pairs[index + 1] ?? '') as LeasedRun);
    }
    return runs;
  }

  /** The runs that are recorded of this process, by their fields. */
  async recorded(): Promise<ReadonlyMap<string, LeasedRun>> {
    const stored = await this.#redis.hGetAll(this.#runs(this.#name.process));
    return new Map(Object.entries(stored).map(([field, run]) => [field, parseJson(run) as LeasedRun]));
  }

  async leave(): Promise<void> {
    const { process } = this.#name;
    const keys = [this.#processes(), this.#runs(process)];
    await askScriptForTexts(this.#redis, LEAVE, { keys, ask: { process } });
  }

  #processes(): string {
    return REDIS_KEYS.leases(this.#name.taskQueue);
  }

  #runs(process: string): string {
    return REDIS_KEYS.leasedRuns(this.#name.taskQueue, process);
  }
}
