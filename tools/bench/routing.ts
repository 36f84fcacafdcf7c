/** The cost of routing, the choice of a key and the circuit breaker: in this process, on the wire, in Redis. */
import { RouteChooser } from '../../api/generations/choose-route.ts';
import { generationRequestSchema } from '../../contracts/generation.ts';
import { HealthSnapshot } from '../../engine/routing/health-snapshot.ts';
import type { GateCall } from '../../engine/routing/provider-gate.ts';
import { RedisGate } from '../../engine/routing/redis-gate.ts';
import { RedisGateReader } from '../../engine/routing/redis-gate-reader.ts';
import { providerKeysOf } from '../../platform/config/gate-schema.ts';
import { loadConfig } from '../../platform/config/load-config.ts';
import { routeOf } from '../../platform/config/route-schema.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { startSharedServices } from '../../test/harness/shared-services.ts';

const WARM_UP = 500;
const KEYS = 4;
const PROMPT = 'Compare three ways to store time series, and propose one for ten thousand sensors. '.repeat(
  12,
);

export async function benchRouting(calls: number): Promise<void> {
  const services = await startSharedServices();
  let redis: RedisConnection | undefined;
  try {
    redis = await connectRedis(services.env['REDIS_URL'] ?? '', (error) => console.error(error.message));
    const rows = { ...(await measureChoice(calls, redis)), ...(await measureGate(calls, redis)) };
    const withinRedis = await meanWithinRedis(redis);
    console.log(`\n${calls} calls a row, one after the other; a prompt of ${PROMPT.length} characters`);
    console.table(rows);
    console.log(
      'The choice is made in the API while a generation is submitted. `enter` leaves together with the commands that\n' +
        'open the log, so the first token waits for the difference only; `leave` is waited for by nobody. Within\n' +
        `Redis, by its own account, a script takes ${withinRedis} µs on the mean.`,
    );
  } finally {
    redis?.destroy();
    await services.stop();
  }
}

async function measureChoice(calls: number, redis: RedisConnection) {
  const models = ['openai/gpt-4o-mini', 'openai/gpt-4o', 'anthropic/claude-sonnet-4-5'];
  const routes = {
    default: { ...routeOf(models, { complex: models.slice(2) }), order: 'latency' as const },
  };
  const config = { ...loadConfig({}), routes };
  const reader = new RedisGateReader({
    redis,
    keys: config.providerKeys,
    scopes: config.gateScopes,
    breaker: config.breaker,
  });
  const health = new HealthSnapshot(reader, (error) => console.error(error));
  const chooser = new RouteChooser(config, health);
  const request = generationRequestSchema.parse({ input: PROMPT });
  const input = { messages: [{ role: 'user' as const, content: PROMPT }], maxOutputTokens: 1_000 };
  const choose = async (index: number) => {
    chooser.choose(request, input, { tenant: 'bench', seed: `gen_${index}` });
  };
  return { 'choose among 3 models, task found, by latency': await measure(calls, choose) };
}

async function measureGate(calls: number, redis: RedisConnection) {
  const environment = Object.fromEntries(
    Array.from({ length: KEYS }, (_, index) => [`BENCH_KEY_${index}`, `sk-bench-${index}`]),
  );
  const names = Object.keys(environment).map((env) => ({ env, weight: 1 }));
  const limits = { requests: 10_000_000, tokens: 1_000_000_000, windowMs: 60_000 };
  const { breaker } = loadConfig({});
  const gate = new RedisGate({
    redis,
    keys: { bench: providerKeysOf({ keys: names, limits }, environment) },
    scopes: {},
    breaker,
    probeMs: 15_000,
    onUnreachable: (reason) => console.error(reason),
  });
  const callOf = (index: number): GateCall => ({
    tenant: 'bench',
    generationId: `gen_${index}`,
    provider: 'bench',
    model: 'model',
    callId: `call-${index}`,
    tokens: 1_000,
    isLast: false,
  });
  const answered = {
    verdict: 'answered' as const,
    key: null,
    firstTokenMs: 300,
    tokensPerSecond: 80,
    tokens: 400,
  };
  // What an attempt asks of Redis anyway, as it begins.
  await redis.set('bench:input', PROMPT);
  const opening = () => Promise.all([redis.hGetAll('bench:head'), redis.get('bench:input')]);
  const passes: Awaited<ReturnType<typeof gate.enter>>[] = [];
  const enter = async (index: number) => {
    passes.push(await gate.enter(callOf(index)));
  };
  return {
    [`enter, ${KEYS} keys with limits: alone`]: await measure(calls, enter),
    'leave: alone': await measure(calls, async () => {
      const admission = passes.pop();
      if (admission?.admitted) await admission.pass.leave(answered);
    }),
    'opening of the log, without the gate': await measure(calls, opening),
    'opening of the log, with enter beside it': await measure(calls, async (index) => {
      await Promise.all([gate.enter(callOf(index)), opening()]);
    }),
  };
}

/** Redis' own account of the scripts: time on its one core. */
async function meanWithinRedis(redis: RedisConnection): Promise<number> {
  const stats = await redis.info('commandstats');
  const [, calls, usec] = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(stats) ?? [];
  return round(Number(usec) / Number(calls));
}

async function measure(calls: number, operation: (index: number) => Promise<unknown>) {
  for (let index = 0; index < Math.min(WARM_UP, calls); index += 1) await operation(-index);
  const times: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const begunAt = performance.now();
    await operation(index);
    times.push((performance.now() - begunAt) * 1_000);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const rank = (share: number) =>
    round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN);
  return {
    'median µs': rank(0.5),
    'p99 µs': rank(0.99),
    'mean µs': round(times.reduce((sum, time) => sum + time, 0) / times.length),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
