/** A worker or API process: the product's own modules, with every border to the outside in the hands of the world. */

import { RunningStreams } from '../../activities/attempt/running-streams.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { totalTokens } from '../../contracts/money.ts';
import type { Flights } from '../../engine/cache/flights.ts';
import type { Provider, ProviderCapabilities } from '../../engine/providers/provider.ts';
import { type LiveRedis, RedisLiveLogs } from '../../engine/streaming/live-logs.ts';
import { LogPacker, type PackRedis } from '../../engine/streaming/log-packer.ts';
import type { WriterLimits } from '../../engine/streaming/log-writer.ts';
import { type LogRedis, RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import type { MemoryRedis } from './memory-redis.ts';
import type { ModelServer } from './model-server.ts';
import { createSimulatedFlights, type FlightStore } from './simulated-flights.ts';
import { type Label, Lane, type World } from './world.ts';

/** What all processes share. */
export interface Outside {
  readonly world: World;
  readonly redis: MemoryRedis;
  readonly flights: FlightStore;
  readonly models: ModelServer;
  readonly capabilities: ReadonlyMap<string, ProviderCapabilities>;
  readonly writer: WriterLimits;
  /** The output cap that the callers have raised theirs to; 0 where they have not. */
  raisedCap: number;
  /** Commands to Redis, or replies, that did not arrive. */
  lostCommands: number;
}

/** The only thing in a run that no seed decides; it decides nothing. */
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const RETENTION_MS = 60_000;
/** Percent of the commands to Redis. */
const LOST = 1;

/** What no simulated generation uses, and what is the same in every process. Made once: a seed has many processes. */
const SHARED = {
  outputs: { check: notSimulated('output check') },
  webhooks: {
    prepare: notSimulated('webhooks'),
    read: notSimulated('webhooks'),
    view: notSimulated('webhooks'),
    note: notSimulated('webhooks'),
    giveUp: notSimulated('webhooks'),
  },
  sendWebhook: notSimulated('webhooks'),
  promptStats: {
    record: notSimulated('statistics'),
    giveFeedback: notSimulated('statistics'),
    removeFeedback: notSimulated('statistics'),
    readFeedback: notSimulated('statistics'),
    listFeedback: notSimulated('statistics'),
    read: notSimulated('statistics'),
    answerLength: notSimulated('statistics'),
  },
  seals: { seal: notSimulated('seal'), open: notSimulated('seal') },
  // No input has anything to open.
  context: { read: async (_tenant, { messages }) => messages, seal: notSimulated('seal') },
  callAnswers: { remember: notSimulated('tool calls') },
  cache: {
    lookUp: notSimulated('cache'),
    lookUpBest: notSimulated('cache'),
    store: notSimulated('cache'),
    replace: notSimulated('cache'),
    warmUp: notSimulated('cache'),
  },
  cacheSettings: () => ({
    acceptedFalseHits: 0.01,
    ttlMs: 1_000,
    judge: false,
    singleFlight: true,
    share: 'user',
  }),
  compression: { compressOnce: async () => null, read: async () => null },
  note: () => undefined,
  notifyBudget: null,
  ended: null,
  priceOf: (_provider, _model, usage) => totalTokens(usage),
  countTexts: async (texts) => texts.map(({ length }) => length),
} satisfies Partial<Dependencies>;

const NO_BUDGET = {
  reserve: notSimulated('reserve'),
  raise: notSimulated('raise'),
  settle: notSimulated('settle'),
  look: notSimulated('look'),
};

const GATE = {
  takeRoom: notSimulated('room'),
  keyOf: (_provider: string, id: string) => ({ id, secret: 'secret' }),
  keyCount: () => 1,
};

const ADMITTED = {
  admitted: true,
  pass: {
    key: { id: 'k1', secret: 'secret' },
    noteHead: () => undefined,
    noteFirstToken: () => undefined,
    leave: async () => ({ circuit: null, restMs: 0 }),
  },
} as const;

export class SimulatedProcess {
  readonly name: string;
  readonly running = new RunningStreams();
  readonly dependencies: Dependencies;
  readonly #outside: Outside;
  readonly #requests = new Lane();
  readonly #replies = new Lane();
  readonly #news = new Lane();
  readonly #lanes: Lane[] = [this.#requests, this.#replies, this.#news];
  readonly #subscriptions = new Map<string, (message: string) => void>();
  readonly #onReady: (() => void)[] = [];
  readonly #death = Promise.withResolvers<'dead'>();
  readonly #caller = { newLane: () => this.#newLane(), isOrphaned: () => this.#isDead };
  #isDead = false;

  constructor(name: string, outside: Outside) {
    this.name = name;
    this.#outside = outside;
    this.dependencies = this.#dependencies();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Resolves when it is killed. */
  get death(): Promise<'dead'> {
    return this.#death.promise;
  }

  /** Nothing of it runs any more. Commands that are on their way to Redis may still be carried out. */
  kill(): void {
    if (this.#isDead) return;
    const { world } = this.#outside;
    this.#isDead = true;
    let arrive = world.random.between(0, this.#requests.steps.length);
    for (; arrive > 0; arrive -= 1) this.#requests.steps.shift()?.run();
    for (const lane of this.#lanes) world.drop(lane);
    this.#subscriptions.clear();
    this.#death.resolve('dead');
  }

  publish(channel: string, message: string): void {
    const { world } = this.#outside;
    if (!this.#subscriptions.has(channel) || world.fault(1)) return;
    world.add(
      this.#news,
      () => `${this.name} hears of ${channel}`,
      () => this.#subscriptions.get(channel)?.(message),
    );
  }

  /** The connection that subscribes is cut; what was on its way is lost. */
  cutSubscriber(): void {
    const { world } = this.#outside;
    world.drop(this.#news);
    world.add(this.#news, `${this.name} subscribes again`, () => {
      for (const listener of this.#onReady) listener();
    });
  }

  /** Anything outside that is neither Redis nor a provider. */
  ask<Value>(label: Label, effect: () => Value): Promise<Value> {
    return this.#outside.world.later(
      this.#newLane(),
      () => `${this.name}: ${typeof label === 'string' ? label : label()}`,
      effect,
    );
  }

  readonly #newLane = (): Lane => {
    const lane = new Lane();
    this.#lanes.push(lane);
    return lane;
  };

  #command<Reply>(label: Label, effect: () => Promise<Reply>): Promise<Reply> {
    const { world } = this.#outside;
    return new Promise((resolve, reject) => {
      if (this.#isDead) return;
      world.add(
        this.#requests,
        () => `${this.name}: ${typeof label === 'string' ? label : label()}`,
        () => {
          if (world.fault(LOST)) {
            this.#outside.lostCommands += 1;
            return reject(redisAway());
          }
          const reply = effect();
          // Known as handled: a process that dies never looks at it.
          reply.catch(() => 'the process hears of it by its own promise');
          if (world.fault(LOST)) {
            this.#outside.lostCommands += 1;
            world.add(
              this.#replies,
              () => `${this.name}: a reply is lost`,
              () => reject(redisAway()),
            );
          } else if (this.#isDead || (this.#replies.steps.length === 0 && world.chance(50))) {
            resolve(reply);
          } else {
            world.add(
              this.#replies,
              () => `${this.name}: a reply`,
              () => resolve(reply),
            );
          }
        },
      );
    });
  }

  #connection(): LogRedis & PackRedis {
    const { redis } = this.#outside;
    return {
      evalSha: (sha, call) =>
        this.#command(
          () => `script ${call.arguments.join(' ').replaceAll(UUID, '<opener>')}`,
          () => redis.evalSha(sha, call),
        ),
      eval: (source, call) => this.#command('script, whole', () => redis.eval(source, call)),
      get: (key) =>
        this.#command(
          () => `GET ${key}`,
          () => redis.get(key),
        ),
      hGetAll: (key) =>
        this.#command(
          () => `HGETALL ${key}`,
          () => redis.hGetAll(key),
        ),
      hmGet: (key, fields) =>
        this.#command(
          () => `HMGET ${key} ${fields.join(' ')}`,
          () => redis.hmGet(key, fields),
        ),
      xRange: (key, start, end, options) =>
        this.#command(
          () => `XRANGE ${key} ${start}`,
          () => redis.xRange(key, start, end, options),
        ),
    };
  }

  #subscriber(): LiveRedis {
    return {
      on: (_event, listener) => this.#onReady.push(listener),
      sSubscribe: (channel, listener) =>
        this.#command(
          () => `SSUBSCRIBE ${channel}`,
          async () => {
            this.#subscriptions.set(channel, listener);
          },
        ),
      sUnsubscribe: (channel) =>
        this.#command(
          () => `SUNSUBSCRIBE ${channel}`,
          async () => {
            this.#subscriptions.delete(channel);
          },
        ),
    };
  }

  /** Its logs are packed when they end. */
  #log(): RedisEventLog {
    const { writer } = this.#outside;
    const connection = this.#connection();
    // A log that is not packed is as it was.
    const packer = new LogPacker(connection, () => undefined);
    const listener = packer.listener({
      appended: () => undefined,
      retried: () => undefined,
      refused: () => undefined,
    });
    return new RedisEventLog(connection, { retentionMs: RETENTION_MS, writer, listener });
  }

  #dependencies(): Dependencies {
    const { models, capabilities, flights } = this.#outside;
    const providers = new Map<string, Provider>(
      [...capabilities].map(([name, can]) => [name, models.connect(name, can, this.#caller)]),
    );
    return {
      log: this.#log(),
      live: new RedisLiveLogs(this.#subscriber()),
      flights: createSimulatedFlights(flights, this) satisfies Flights,
      providers,
      ...SHARED,
      gate: { ...GATE, enter: () => this.ask('enters the gate', () => ADMITTED) },
      budget: {
        ...NO_BUDGET,
        extend: () => this.ask('extends its reservation', () => this.#granted()),
        currentCap: () => this.ask('asks for the cap', () => this.#granted().capTokens),
      },
    };
  }

  #granted() {
    const capTokens = Math.max(OUTPUT_CAP, this.#outside.raisedCap);
    return {
      granted: true as const,
      reservedTokens: RESERVED,
      reservedMicroUsd: RESERVED,
      maxOutputTokens: capTokens,
      capTokens,
      remainingTokens: null,
      warnings: [],
    };
  }
}

function redisAway(): Error {
  return Object.assign(new Error('The connection to Redis was cut.'), { code: 'ECONNRESET' });
}

export const OUTPUT_CAP = 10_000;
export const RESERVED = 100_000;

function notSimulated(what: string): () => Promise<never> {
  return async () => {
    throw new Error(`The simulation has no ${what}.`);
  };
}
