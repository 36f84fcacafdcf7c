/** Many reservations from several processes against the real ledger, some of which are killed in the middle. */
import { createClient } from 'redis';
import { startChild } from '../harness/child-process.ts';
import { createRandom } from '../harness/random.ts';
import { pause, waitFor } from '../harness/wait-for.ts';
import { type BudgetFaults, checkBudgets } from './check-budget.ts';
import { diaryKey, HARD_LIMITS, planGeneration } from './spending-plan.ts';

export interface LedgerProof extends BudgetFaults {
  readonly kills: number;
  readonly elapsedMs: number;
}

const DONE_WITHIN_MS = 300_000;
const SPENDER = 'test/prove/budget-spender.ts';

export async function spendOnLedger(plan: {
  readonly redisUrl: string;
  readonly reservations: number;
  readonly processes: number;
  readonly kills: number;
  readonly seed: number;
}): Promise<LedgerProof> {
  const { redisUrl, reservations, processes, seed } = plan;
  const random = createRandom(seed);
  const tenant = `prove-${seed}`;
  const share = Math.ceil(reservations / processes);
  const start = (index: number) => {
    const [from, until] = [index * share, Math.min(reservations, (index + 1) * share)];
    const spending = JSON.stringify({ redisUrl, tenant, seed, from, until });
    return startChild(`spender ${index}`, SPENDER, { UNBROKEN_SPENDING_PLAN: spending });
  };
  const begunAt = performance.now();
  const children = await Promise.all(Array.from({ length: processes }, (_, index) => start(index)));
  let kills = 0;
  try {
    while (kills < plan.kills) {
      await pause(random.between(50, 700));
      const index = random.between(0, processes - 1);
      const victim = children[index];
      if (victim?.isRunning() !== true) {
        if (!children.some((child) => child.isRunning())) break;
        continue;
      }
      await victim.signal('SIGKILL');
      kills += 1;
      children[index] = await start(index);
    }
    await waitFor('all is spent', () => children.every((child) => !child.isRunning()), DONE_WITHIN_MS);
    const failed = children.find((child) => !child.log().includes('"done"'));
    if (failed !== undefined) throw new Error(`${failed.name} failed:\n${failed.log()}`);
    const elapsedMs = performance.now() - begunAt;
    const redis = createClient({ url: redisUrl });
    await redis.connect();
    const used = new Map<string, number>();
    for (let index = 0; index < reservations; index += 1) {
      const { id } = planGeneration(seed, index);
      const diary = await redis.hGetAll(diaryKey(tenant, id));
      used.set(
        id,
        Object.values(diary).reduce((sum, line) => sum + Number(line.split(' ')[0]), 0),
      );
    }
    const faults = await checkBudgets(redis, tenant, HARD_LIMITS, used);
    redis.destroy();
    return { ...faults, kills, elapsedMs };
  } finally {
    await Promise.all(children.map((child) => child.end()));
  }
}
