/**
 * Whole generations through API, Temporal and workers against small budgets: cancelled, failed, fallen back, killed.
 */
import { createClient } from 'redis';
import { workflowId } from '../../contracts/names.ts';
import { promptOf } from '../harness/prompt.ts';
import { createRandom, type Random } from '../harness/random.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { pause } from '../harness/wait-for.ts';
import { type BudgetFaults, type CheckedLimit, checkBudgets } from './check-budget.ts';

export interface GenerationProof extends BudgetFaults {
  readonly kills: number;
  /** How many ended how. */
  readonly ends: Readonly<Record<string, number>>;
  readonly providerTokens: number;
  readonly ledgerTokens: number;
}

const TENANT = 'dev';
const TIME_ZONE = 'America/New_York';
const AT_ONCE = 12;
const LIMITS: readonly CheckedLimit[] = [
  { per: 'user', id: '*', window: 'day', unit: 'tokens', amount: 3_500, timeZone: TIME_ZONE },
  { per: 'user', id: '*', window: '24h', unit: 'micro-usd', amount: 16_000, timeZone: TIME_ZONE },
  { per: 'key', id: '*', window: 'month', unit: 'tokens', amount: 14_000, timeZone: TIME_ZONE },
];
const PRICE = { inputMicroUsdPerMillion: 2_000_000, outputMicroUsdPerMillion: 8_000_000 };

export async function spendOnGenerations(plan: {
  readonly services: Readonly<Record<string, string>>;
  readonly generations: number;
  readonly seed: number;
}): Promise<GenerationProof> {
  const random = createRandom(plan.seed);
  const stack = await startStack({
    workers: 2,
    services: plan.services,
    config: {
      // Faults are to cost attempts; a circuit that opens would spare them.
      breaker: { minCalls: 1_000_000 },
      prices: { 'simulated/sim-large': PRICE, 'simulated-messages/sim-large': PRICE },
      budgets: { timeZone: TIME_ZONE, limits: LIMITS },
    },
  });
  const killing = { done: false, kills: 0 };
  try {
    const killer = killWorkers(stack, createRandom(plan.seed + 1), killing);
    const ids = await generateAll(stack, random, plan.generations);
    killing.done = true;
    await killer;
    const temporal = await temporalClient(stack.env);
    const ends: Record<string, number> = { 'refused at once': plan.generations - ids.length };
    for (const id of ids) {
      const { status, errorCode } = await temporal.workflow.getHandle(workflowId(TENANT, id)).result();
      const end = errorCode === null || errorCode === 'cancelled' ? status : errorCode;
      ends[end] = (ends[end] ?? 0) + 1;
    }
    const redis = createClient({ url: plan.services['REDIS_URL'] ?? '' });
    await redis.connect();
    const used = new Map<string, number>();
    for (const id of ids) used.set(id, tokensOf((await stack.api.view(id)).body.usage));
    const faults = await checkBudgets(redis, TENANT, LIMITS, used);
    redis.destroy();
    const calls = await stack.sim.calls();
    return {
      ...faults,
      kills: killing.kills,
      ends,
      providerTokens: calls.reduce((sum, call) => sum + call.inputTokens + call.outputTokensGenerated, 0),
      ledgerTokens: [...used.values()].reduce((sum, tokens) => sum + tokens, 0),
    };
  } finally {
    killing.done = true;
    await closeTemporalClients();
    await stack.stop();
  }
}

function tokensOf(usage: object | null): number {
  return Object.values(usage ?? {}).reduce((sum, part) => sum + (typeof part === 'number' ? part : 0), 0);
}

async function killWorkers(
  stack: Stack,
  random: Random,
  killing: { readonly done: boolean; kills: number },
): Promise<void> {
  while (!killing.done) {
    await pause(random.between(1_000, 4_000));
    if (killing.done) return;
    const victim = stack.workers[random.between(0, stack.workers.length - 1)];
    await victim?.kill();
    killing.kills += 1;
    // What a supervisor does: the process is started again at once.
    await victim?.restart();
  }
}

/** @returns the ids of those that began. */
async function generateAll(stack: Stack, random: Random, count: number): Promise<string[]> {
  const ids: string[] = [];
  const plans = Array.from({ length: count }, () => ({
    fault: random.between(1, 10),
    tokens: random.between(20, 400),
    user: `user-${random.between(1, 6)}`,
    cancelAfterMs: random.between(1, 5) === 1 ? random.between(50, 1_500) : null,
    wire: random.between(0, 1) === 0 ? 'openai-responses' : 'anthropic-messages',
    afterTokens: random.between(0, 60),
    // It cannot take a cut response up again: each cut is paid for.
    model: random.between(0, 1) === 0 ? { model: 'simulated-messages/sim-large' } : {},
  }));
  const queue = plans.entries();
  const generate = async () => {
    for (const [index, { fault, tokens, user, cancelAfterMs, wire, afterTokens, model }] of queue) {
      const input = `Spender ${index}. ${promptOf({ tokens, delayMs: 6 })}`;
      const kind = ({ 1: 'cut', 2: 'status', 3: 'in-band-error', 4: 'empty' } as const)[fault];
      if (kind !== undefined) {
        await stack.sim.fault({
          kind,
          match: `Spender ${index}.`,
          wire: wire as 'openai',
          times: 2,
          afterTokens,
        });
      }
      const request = { ...model, input, user, cache: 'off' as const, maxOutputTokens: 500 };
      const { status, body } = await stack.api.create(request);
      if (status === 429) continue;
      if (status !== 201) throw new Error(`POST: ${status} ${JSON.stringify(body)}`);
      ids.push(body.id);
      if (cancelAfterMs !== null) {
        await pause(cancelAfterMs);
        await stack.api.cancel(body.id);
      }
      const temporal = await temporalClient(stack.env);
      await temporal.workflow.getHandle(workflowId(TENANT, body.id)).result();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, generate));
  return ids;
}
