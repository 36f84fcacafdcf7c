/**
 * Attempts as a worker makes them, one after another, without Temporal between them: the real log, ledger and gate in
 * Redis, the real adapters, and the simulated provider over HTTP. A test decides when an attempt's process "dies": its
 * log is taken over, and from then on nothing that it does is seen.
 */
import { ApplicationFailure } from '@temporalio/common';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import type { Stop, StreamControl } from '../../../activities/attempt/running-streams.ts';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { runStream } from '../../../activities/stream-from-provider.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { GenerationOutcome, StreamStep } from '../../../contracts/steps.ts';
import { RedisBudgetLedger } from '../../../engine/budget/redis-budget-ledger.ts';
import { RedisCompactionSeals } from '../../../engine/compaction/compaction-seals.ts';
import { SealedContext } from '../../../engine/compaction/sent-context.ts';
import { ThreadedOutputChecker } from '../../../engine/output/threaded-output-checker.ts';
import type { Provider } from '../../../engine/providers/provider.ts';
import { RedisCallAnswers } from '../../../engine/reasoning/call-answers.ts';
import { RedisReasoningSeals } from '../../../engine/reasoning/seals.ts';
import { RedisGate } from '../../../engine/routing/redis-gate.ts';
import type { LogCreation } from '../../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { RedisWebhookDeliveries } from '../../../engine/webhooks/redis-deliveries.ts';
import { RedisWebhookEndpoints } from '../../../engine/webhooks/redis-endpoints.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { createSimulatedProvider } from '../../../tools/simulator/create-simulated-provider.ts';
import { adapterFor, KEY, simulatedConfig } from '../../engine/providers/adapter-for.ts';
import { startTestRedis } from '../../engine/streaming/redis-server.ts';
import { connectSimulator, type Simulator } from '../../harness/simulator.ts';

const MODEL = 'sim-large';
const BREAKER = {
  windowMs: 60_000,
  minCalls: 1_000,
  badShare: 1,
  slowFirstTokenMs: 60_000,
  openMs: 300,
  maxOpenMs: 300,
};

interface RunningAttempt {
  readonly outcome: Promise<GenerationOutcome>;
  stop(why: Stop): void;
}

const OWNER = { tenant: 'acme', user: 'ann', team: null, keyId: 'key' };
/** The reservation for the input of a generation, which is far less. */
const INPUT_TOKENS = 1_000;

interface Services {
  readonly sim: Simulator;
  readonly redis: RedisConnection;
  readonly dependencies: Dependencies;
  stop(): Promise<void>;
}

export async function startAttemptStand(wires: readonly WireFamily[]): Promise<AttemptStand> {
  const [server, provided] = await Promise.all([startTestRedis(), createSimulatedProvider()]);
  const redis = await server.connect();
  const outputs = new ThreadedOutputChecker();
  return new AttemptStand({
    sim: connectSimulator(provided.url),
    redis,
    dependencies: createDependencies({ redis, outputs }, wires, provided.url),
    stop: async () => {
      await outputs.close();
      await server.stop();
      await provided.stop();
    },
  });
}

export class AttemptStand {
  readonly sim: Simulator;
  readonly redis: RedisConnection;
  readonly dependencies: Dependencies;
  readonly #services: Services;
  #generations = 0;
  #epoch = 1_000;

  constructor(services: Services) {
    this.#services = services;
    this.sim = services.sim;
    this.redis = services.redis;
    this.dependencies = services.dependencies;
  }

  /** What the log of a generation is created with. */
  creationOf(
    { generationId, tenant, user, route }: StreamStep['order'],
    input: Partial<GenerationInput>,
  ): LogCreation {
    return {
      generationId,
      tenant,
      user,
      route,
      requestHash: 'hash',
      metadata: {},
      input: wholeOf(input),
    };
  }

  /** Creates the log of a generation. @returns its first step. */
  async begin(
    wire: WireFamily,
    input: Partial<GenerationInput>,
    limits: { deadlineAtMs: number } = { deadlineAtMs: Number.MAX_SAFE_INTEGER },
  ): Promise<StreamStep> {
    this.#generations += 1;
    const generationId = `gen_${this.#generations}`;
    const messages = [{ role: 'user' as const, content: `Question ${this.#generations}` }];
    const whole = wholeOf({ messages, ...input });
    const { maxOutputTokens } = whole;
    const candidate = { provider: wire, model: MODEL };
    const order: StreamStep['order'] = {
      generationId,
      ...OWNER,
      route: 'default',
      candidates: [candidate],
      cache: 'off',
      inputChars: 1,
      maxOutputTokens,
      limitMs: 60_000,
      ...limits,
    };
    await this.dependencies.log.create(this.creationOf(order, whole));
    const reserved = await this.dependencies.budget.reserve({
      generationId,
      ...OWNER,
      inputTokens: INPUT_TOKENS,
      maxOutputTokens,
      minOutputTokens: 1,
      price: { fixedMicroUsd: INPUT_TOKENS, outputMicroUsdPerMillion: 1_000_000 },
    });
    if (!reserved.granted) throw new Error('the test budget refused');
    const { granted: _, ...reservation } = reserved;
    return { order, candidate, ...reservation, isLast: true };
  }

  /** Begins the next attempt, which fences off the one before. */
  attempt(step: StreamStep, stopped?: Stop): RunningAttempt {
    this.#epoch += 1;
    const { control, stop } = controlOf(this.#epoch);
    if (stopped !== undefined) stop(stopped);
    const outcome = runStream(this.dependencies, step, control);
    outcome.catch(() => undefined);
    return { outcome, stop };
  }

  /** Attempts until there is an outcome, or a failure that must not be retried. */
  async untilOutcome(step: StreamStep): Promise<GenerationOutcome> {
    for (;;) {
      try {
        return await this.attempt(step).outcome;
      } catch (error) {
        if (!(error instanceof ApplicationFailure) || error.nonRetryable === true) throw error;
      }
    }
  }

  events({ order }: StreamStep): Promise<GenerationEvent[]> {
    return this.dependencies.log.read(order.generationId, -1);
  }

  stop(): Promise<void> {
    return this.#services.stop();
  }
}

function createDependencies(
  { redis, outputs }: { readonly redis: RedisConnection; readonly outputs: ThreadedOutputChecker },
  wires: readonly WireFamily[],
  url: string,
): Dependencies {
  const providers = new Map<string, Provider>(
    wires.map((wire) => [wire, adapterFor(wire, simulatedConfig(wire, url))]),
  );
  const key = { id: 'key', secret: KEY, weight: 1, requests: null, tokens: null, windowMs: 60_000 };
  return {
    log: new RedisEventLog(redis, { retentionMs: 60_000 }),
    budget: new RedisBudgetLedger({
      redis,
      limits: [],
      timeZone: 'UTC',
      keepEntriesMs: 86_400_000,
      keepUsageMs: 86_400_000,
    }),
    gate: new RedisGate({
      redis,
      scopes: {},
      breaker: BREAKER,
      probeMs: 1_000,
      keys: Object.fromEntries(wires.map((wire) => [wire, [key]])),
      onUnreachable: (reason) => {
        throw reason;
      },
    }),
    providers,
    cacheSettings: () => ({
      acceptedFalseHits: 0.01,
      ttlMs: 1,
      judge: false,
      singleFlight: false,
      share: 'user',
    }),
    priceOf: (_provider, _model, usage) => usage.inputTokens + usage.outputTokens,
    countTexts: async (texts) => texts.map((text) => countTokens(text)),
    seals: new RedisReasoningSeals(redis),
    context: new SealedContext(new RedisCompactionSeals(redis)),
    callAnswers: new RedisCallAnswers(redis),
    outputs,
    note: () => undefined,
    notifyBudget: null,
    ended: null,
    cache: absent('cache'),
    flights: absent('flights'),
    live: absent('live'),
    promptStats: absent('promptStats'),
    compression: absent('compression'),
    webhooks: new RedisWebhookDeliveries(redis, new RedisWebhookEndpoints(redis)),
    sendWebhook: absent('sendWebhook'),
  };
}

function wholeOf(input: Partial<GenerationInput>): GenerationInput {
  return { messages: [], maxOutputTokens: 2_000, ...input };
}

function controlOf(epoch: number): { control: StreamControl; stop: (why: Stop) => void } {
  const controller = new AbortController();
  let why: Stop | null = null;
  const stop = (reason: Stop) => {
    why ??= reason;
    controller.abort(new Error(`stopped (${reason})`));
  };
  const control = { epoch, signal: controller.signal, stop, stopped: () => why, opened: () => undefined };
  return { control, stop };
}

/** A part that these attempts have no use for. */
function absent<Part extends object>(name: string): Part {
  return new Proxy({} as Part, {
    get: () => {
      throw new Error(`${name} was not to be used`);
    },
  });
}
