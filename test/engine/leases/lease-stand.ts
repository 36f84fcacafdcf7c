/** Processes with leases, for the tests on one Redis and on a cluster. */
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { LeaseKeeper } from '../../../engine/leases/lease-keeper.ts';
import { type LeaseRedis, RedisLease } from '../../../engine/leases/redis-lease.ts';
import type { LeasedRun } from '../../../engine/leases/run-leases.ts';
import { waitFor } from '../../harness/wait-for.ts';

export const SILENT_MS = 500;
const SOON_MS = 120_000;

export function soon<Value>(
  what: string,
  condition: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
): Promise<Value> {
  return waitFor(what, condition, SOON_MS);
}

type Loss = 'renew' | 'takeOver';

interface StandRedis extends LeaseRedis {
  zScore(key: string, member: string): Promise<number | null>;
}

/** A process with a lease: what it has taken over, how often it has renewed, and whether it still may. */
class TestProcess {
  readonly name: string;
  readonly keeper: LeaseKeeper;
  readonly taken: LeasedRun[] = [];
  renewals = 0;
  isDead = false;
  /** The next reply to this is lost, once. */
  loses: Loss | null = null;

  constructor(name: string, connection: LeaseRedis, taskQueue: string) {
    this.name = name;
    const lease = new RedisLease(connection, { taskQueue, process: name, silentMs: SILENT_MS });
    this.keeper = new LeaseKeeper({
      lease: {
        renew: async (renewal) => {
          const renewed = await lease.renew(renewal);
          this.renewals += 1;
          return this.#receive('renew', renewed);
        },
        takeOver: async (expired) => this.#receive('takeOver', await lease.takeOver(expired)),
        recorded: () => lease.recorded(),
        leave: () => lease.leave(),
      },
      silentMs: SILENT_MS,
      mayRenew: () => !this.isDead,
      onTaken: (runs) => this.taken.push(...runs),
    });
    this.keeper.start();
  }

  runOf(number: number): LeasedRun {
    return { process: this.name, workflowId: `acme/gen_${number}`, runId: `run_${number}` };
  }

  /** Resolves when it has renewed so many more times. */
  async renewed(times: number): Promise<void> {
    const until = this.renewals + times;
    await soon(`${times} renewals of ${this.name}`, () => this.renewals >= until);
  }

  #receive<Reply>(from: Loss, reply: Reply): Reply {
    if (this.loses !== from || reply === null) return reply;
    this.loses = null;
    throw new Error('the connection was cut before the reply came');
  }
}

/** What one test needs: a task queue without other leases, and its processes. */
export class LeaseStand {
  readonly #connect: () => Promise<StandRedis>;
  #redis: StandRedis | null = null;
  #processes: TestProcess[] = [];
  #queues = 0;

  /** @param connect a connection for each process */
  constructor(connect: () => Promise<StandRedis>) {
    this.#connect = connect;
  }

  get taskQueue(): string {
    return `queue-${this.#queues}`;
  }

  async begin(): Promise<void> {
    this.#queues += 1;
    this.#redis ??= await this.#connect();
  }

  async end(): Promise<void> {
    await Promise.all(this.#processes.map(({ keeper }) => keeper.stop()));
    this.#processes = [];
  }

  async start<Names extends readonly string[]>(
    ...names: Names
  ): Promise<{ readonly [Index in keyof Names]: TestProcess }> {
    const processes = await Promise.all(
      names.map(async (name) => new TestProcess(name, await this.#connect(), this.taskQueue)),
    );
    this.#processes.push(...processes);
    await Promise.all(processes.map((process) => process.renewed(2)));
    return processes as unknown as { readonly [Index in keyof Names]: TestProcess };
  }

  /** The runs that Redis has of a process, as JSON by field. */
  async recordedOf(process: string): Promise<Record<string, string>> {
    return this.#connection.hGetAll(REDIS_KEYS.leasedRuns(this.taskQueue, process));
  }

  /** By the clock of Redis; null if Redis does not know the process. */
  renewedAtMs(process: string): Promise<number | null> {
    return this.#connection.zScore(REDIS_KEYS.leases(this.taskQueue), process);
  }

  get #connection(): StandRedis {
    if (this.#redis === null) throw new Error('no test has begun');
    return this.#redis;
  }
}
