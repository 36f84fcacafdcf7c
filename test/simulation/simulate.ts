/**
 * The core of the product (log, writer, takeover, resume plan, restart guard, the loop that relays a provider,
 * following a leader) under every order of events that a seed gives, with crashes, zombies, lost replies and broken
 * providers. Nothing waits for real time, so a second tries thousands of orders, and a seed that fails fails again.
 */
import type { GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { ProviderCapabilities } from '../../engine/providers/provider.ts';
import { decodeEvents, numberEvents } from '../../engine/streaming/event-codec.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { createRandom } from '../harness/random.ts';
import type { QuestionKind } from './answers.ts';
import { GenerationRun } from './generation-run.ts';
import { judgeUsage, LogJudge } from './judge.ts';
import { type Appended, MemoryRedis } from './memory-redis.ts';
import { ModelServer } from './model-server.ts';
import { FlightStore } from './simulated-flights.ts';
import { OUTPUT_CAP, type Outside, SimulatedProcess } from './simulated-process.ts';
import { VirtualTime } from './virtual-time.ts';
import { inTurns, settle, World } from './world.ts';

interface SeedReport {
  readonly seed: number;
  readonly faults: readonly string[];
  /** Every step, where it was asked for. */
  readonly history: readonly string[];
  readonly steps: number;
}

/** No run needs more; one that does hangs. */
const MOST_STEPS = 20_000;
const WORKERS = 3;
/** What zombies may still do after all generations have ended, and as long as one of them is expected to. */
const ZOMBIE_STEPS = 30;
const LEFT_STEPS = 500;

type SeedRunner = (seed: number, options: { readonly withHistory: boolean }) => Promise<SeedReport>;

/** Runs one seed. */
export function simulateSeed(seed: number, { withHistory = false } = {}): Promise<SeedReport> {
  return inVirtualTime((runSeed) => runSeed(seed, { withHistory }));
}

/**
 * All seeds in one installed clock: to replace a global again invalidates the code that was optimized for it, so with
 * a clock for each seed the hottest functions would never stay optimized.
 */
async function inVirtualTime<Result>(work: (runSeed: SeedRunner) => Promise<Result>): Promise<Result> {
  const time = new VirtualTime();
  const restore = time.install();
  const { stackTraceLimit } = Error;
  const unheard: string[] = [];
  const onUnheard = (reason: unknown) => unheard.push(`a rejection that nobody hears: ${String(reason)}`);
  process.on('unhandledRejection', onUnheard);
  try {
    return await work(async (seed, { withHistory }) => {
      time.restart();
      // Most of the time went into stacks that nobody reads.
      Error.stackTraceLimit = withHistory ? stackTraceLimit : 0;
      const simulation = new Simulation(seed, time, { withHistory });
      const faults = await simulation.run();
      await settle();
      const { history, stepsTaken } = simulation.world;
      return { seed, faults: [...faults, ...unheard.splice(0)], history: history ?? [], steps: stepsTaken };
    });
  } finally {
    process.off('unhandledRejection', onUnheard);
    restore();
    Error.stackTraceLimit = stackTraceLimit;
  }
}

export interface SimulationPlan {
  readonly runs: number;
  /** Of the first run; every other has the next number. */
  readonly seed: number;
  /** The simulation ends after so many failures: to find a cause, more examples do not help. */
  readonly mostFailures: number;
}

export interface SimulationReport {
  readonly runs: number;
  readonly steps: number;
  /** The first seeds that failed, with all their steps. */
  readonly failed: readonly SeedReport[];
}

export async function simulate({ runs, seed, mostFailures }: SimulationPlan): Promise<SimulationReport> {
  const failed: SeedReport[] = [];
  let steps = 0;
  let done = 0;
  await inVirtualTime(async (runSeed) => {
    for (; done < runs && failed.length < mostFailures; done += 1) {
      const report = await runSeed(seed + done, { withHistory: false });
      steps += report.steps;
      if (report.faults.length > 0) failed.push(await runSeed(report.seed, { withHistory: true }));
    }
  });
  return { runs: done, steps, failed };
}

/** What happens to the processes, besides what the commands and streams meet by themselves. */
type Harm =
  | 'kill'
  | 'abandon'
  | 'zombie'
  | 'leave'
  | 'cancel'
  | 'deadline'
  | 'forget-scripts'
  | 'cut'
  | 'raise';

class Simulation {
  readonly world: World;
  readonly #redis: MemoryRedis;
  readonly #outside: Outside;
  readonly #judges = new Map<string, LogJudge>();
  /** By the channel of its log. */
  readonly #judgeOf = new Map<string, LogJudge>();
  readonly #processes: SimulatedProcess[] = [];
  readonly #runs: GenerationRun[] = [];
  #started = 0;

  constructor(seed: number, time: VirtualTime, { withHistory }: { readonly withHistory: boolean }) {
    const random = createRandom(seed);
    const faults = random.between(0, 6);
    const world = new World({ random, time, faults, withHistory });
    this.world = world;
    this.#redis = new MemoryRedis((append) => this.#appended(append));
    if (world.chance(80)) this.#redis.loadScripts();
    const kind = world.pick<QuestionKind>(['text', 'text', 'thinking', 'tools', 'json']);
    const capabilities = new Map<string, ProviderCapabilities>();
    for (let index = world.random.between(1, 2); index > 0; index -= 1) {
      const can = { reattach: world.chance(60), prefill: world.chance(40), instruct: world.chance(50) };
      capabilities.set(`sim${index}`, can);
    }
    this.#outside = {
      world,
      redis: this.#redis,
      flights: new FlightStore(this.#redis),
      capabilities,
      raisedCap: 0,
      lostCommands: 0,
      models: new ModelServer(world, kind),
      writer: { eventsPerAppend: world.pick([1, 2, 5, 512]), writerBufferBytes: world.pick([40, 100_000]) },
    };
    for (let index = 0; index < WORKERS; index += 1) this.#startProcess();
    this.#plan(kind);
    world.tell(() => JSON.stringify({ kind, capabilities: [...capabilities], writer: this.#outside.writer }));
  }

  async run(): Promise<string[]> {
    const { world } = this;
    const all = Promise.all(this.#runs.map((run) => run.run()));
    let isOver = false;
    let broken: unknown = null;
    all.then(
      () => {
        isOver = true;
      },
      (error: unknown) => {
        broken = error;
        isOver = true;
      },
    );
    let isHarmed = false;
    await inTurns(() => {
      if (isOver || world.stepsTaken >= MOST_STEPS) return false;
      isHarmed = !isHarmed && world.fault(2);
      if (!isHarmed) return world.step();
      this.#harm();
      return true;
    });
    if (!isOver) return [`nothing continues after ${world.stepsTaken} steps`, ...this.#verdicts()];
    if (broken !== null) return [`the simulation itself broke: ${String(broken)}`];
    // Zombies that are left may still try to write.
    let left = LEFT_STEPS;
    await inTurns(() => {
      const isWaiting = left > LEFT_STEPS - ZOMBIE_STEPS || this.#lostTrackOf().length > 0;
      left -= 1;
      return left >= 0 && isWaiting && world.step();
    });
    const lost = this.#lostTrackOf().map(({ id }) => `${id} runs on, no log names it, and nobody reads it`);
    return [...this.#verdicts(), ...lost, ...(await this.#readBack())];
  }

  #lostTrackOf() {
    // While Redis is unreachable, a response is left to the next reader of the log.
    if (this.#outside.lostCommands > 0) return [];
    const named = new Set([...this.#judges.values()].flatMap((judge) => [...judge.named]));
    return this.#outside.models.lostTrackOf(named);
  }

  #verdicts(): string[] {
    const { models } = this.#outside;
    const textsOf = (generationId: string) => this.#judges.get(generationId)?.wholeTexts ?? [];
    const judges = [...this.#judges.values()];
    const faults = judges.flatMap((judge) =>
      judge.verdict(textsOf).map((fault) => `${judge.generationId}: ${fault}`),
    );
    return [...faults, ...models.faults, ...judgeUsage(judges, models)];
  }

  /** What a reader gets who comes when all is over, from any place on. */
  async #readBack(): Promise<string[]> {
    const log = new RedisEventLog(this.#redis, { retentionMs: 1 });
    const faults: string[] = [];
    for (const [generationId, judge] of this.#judges) {
      const after = this.world.random.between(-1, 8);
      const events = await log.read(generationId, after);
      const isWhole = events.every(({ seq }, index) => seq === after + 1 + index);
      if (!isWhole) faults.push(`${generationId}: read after ${after} gives ${events.map(({ seq }) => seq)}`);
      const last = events.at(-1);
      if (last !== undefined && last.type !== judge.end?.type)
        faults.push(`${generationId}: read ends with ${last.type}`);
    }
    return faults;
  }

  #plan(kind: QuestionKind): void {
    const { world } = this;
    const isShared = kind !== 'tools' && world.chance(25);
    const input: GenerationInput = {
      messages: [{ role: 'user', content: 'q' }],
      maxOutputTokens: OUTPUT_CAP,
      ...(kind === 'json' ? { output: { name: 'answer', schema: {} } } : {}),
      ...(kind === 'tools' ? { tools: [{ name: 'look_up', parameters: {} }] } : {}),
    };
    for (let index = isShared ? world.random.between(2, 3) : 1; index > 0; index -= 1) {
      const order = this.#order(`gen_${index}`, isShared);
      const judge = new LogJudge(order.generationId, this.#outside.models);
      this.#judges.set(order.generationId, judge);
      this.#judgeOf.set(REDIS_KEYS.logChannel(order.generationId), judge);
      const plan = { world, order, input, anyProcess: () => this.#anyProcess(), isAhead: world.chance(30) };
      this.#runs.push(new GenerationRun(plan));
    }
  }

  #order(generationId: string, isShared: boolean): GenerationOrder {
    const candidates = [...this.#outside.capabilities.keys()].map((provider) => ({ provider, model: 'm' }));
    return {
      generationId,
      tenant: 'acme',
      user: 'ann',
      team: null,
      keyId: 'key',
      route: 'default',
      candidates,
      cache: isShared ? 'on' : 'off',
      maxOutputTokens: OUTPUT_CAP,
      limitMs: 600_000,
      inputChars: 1,
    };
  }

  #startProcess(): void {
    this.#started += 1;
    this.#processes.push(new SimulatedProcess(`w${this.#started}`, this.#outside));
  }

  #anyProcess(): SimulatedProcess {
    const [first, ...others] = this.#processes.filter(({ isDead }) => !isDead);
    if (first === undefined) throw new Error('no process lives');
    return this.world.pick([first, ...others]);
  }

  #harm(): void {
    const { world } = this;
    const [first, ...others] = this.#runs.filter(({ outcome }) => outcome === null);
    if (first === undefined) return;
    const run = world.pick([first, ...others]);
    const harm = world.pick<Harm>([
      'kill',
      'kill',
      'kill',
      'abandon',
      'abandon',
      'zombie',
      'leave',
      'cancel',
      'deadline',
      'forget-scripts',
      'cut',
      'raise',
    ] as unknown as [Harm, ...Harm[]]);
    world.tell(() => `HARM ${harm} ${run.generationId} ${run.process?.name ?? ''}`);
    if (harm === 'kill') this.#kill(run.process ?? this.#anyProcess());
    else if (harm === 'abandon') run.abandon();
    else if (harm === 'zombie') run.leaveBehind();
    else if (harm === 'leave' || harm === 'deadline') run.stop(harm);
    else if (harm === 'cancel') run.cancel();
    else if (harm === 'forget-scripts') void this.#redis.scriptFlush();
    else if (harm === 'cut') (run.process ?? this.#anyProcess()).cutSubscriber();
    else this.#outside.raisedCap = 2 * OUTPUT_CAP;
  }

  #kill(victim: SimulatedProcess): void {
    this.#startProcess();
    victim.kill();
  }

  #appended({ channel, firstSeq, events, at, checkpoint }: Appended): void {
    for (const process of this.#processes) process.publish(channel, `${firstSeq} ${at} ${events}`);
    const judge = this.#judgeOf.get(channel);
    if (judge === undefined) return;
    const numbered = numberEvents(decodeEvents(events), firstSeq, Number(at));
    this.world.tell(() => `LOG ${judge.generationId} ${firstSeq} ${events} ${checkpoint ?? ''}`);
    judge.appended(numbered, checkpoint === undefined ? undefined : JSON.parse(checkpoint));
  }
}
