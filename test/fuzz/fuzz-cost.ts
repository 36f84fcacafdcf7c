/**
 * Searches for the request that keeps others waiting the longest. Inputs grow until one costs too much or none is
 * larger; while each is taken, probes measure how long another request to the API, and another tenant's stream from the
 * worker, wait for work of the process. Others on the machine make a measurement larger and never smaller, so what
 * looks dear is measured again, and the least counts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GenerationView } from '../../contracts/generation.ts';
import { createRandom, type Random } from '../harness/random.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { ask } from './ask-api.ts';
import { CAN_MEASURE } from './busy-time.ts';
import { familiesOfBodies } from './cost-bodies.ts';
import {
  ALPHABETS,
  type CostFamily,
  type CostInput,
  familiesByHand,
  PROMPTS,
  promptName,
  readFamilies,
} from './cost-families.ts';
import { CostWatch, type Waits } from './cost-watch.ts';
import { faultsInLogs } from './fuzz-routes.ts';
import type { FuzzPlan, SurfaceReport } from './inputs.ts';
import { encodeFrame, openRawWebSocket } from './raw-websocket.ts';

/** No request may keep another waiting for longer. */
const MOST_MS = 300;
const MEASURED_AGAIN = 2;
const END_MS = 60_000;
const FRAME_ANSWER_MS = 400;
const ALPHABETS_PER_RUN = 5;
const LONG_ANSWERS = 5;
const LONG_TOKENS = 20_000;

/** Nothing is refused for its number, the route asks what kind of task a text is, and a budget asks how long it is. */
const COST_CONFIG = {
  // A look-up that a busy machine gives up tries nothing.
  cache: { lookUpMs: 5_000 },
  budgets: { limits: [{ per: 'user', id: '*', window: 'day', unit: 'tokens', amount: 1_000_000_000_000 }] },
  rateLimits: { requestsPerMinute: null },
  breaker: { minCalls: 1_000_000 },
  routes: {
    default: {
      candidates: ['simulated/sim-large'],
      tasks: { simple: ['simulated/sim-large'], code: ['simulated/sim-large'] },
    },
  },
};

interface Costly extends Waits {
  readonly family: string;
  readonly size: number;
}

interface CostReport extends SurfaceReport {
  /** The dearest first. */
  readonly worst: readonly Costly[];
}

interface CostPlan extends FuzzPlan {
  /** In the name of each family that is tried. */
  readonly only: string;
}

/** Starts its own instance of the product, because an input may end its processes. */
export async function fuzzCost(
  services: Readonly<Record<string, string>>,
  plan: CostPlan,
): Promise<CostReport> {
  if (!CAN_MEASURE)
    return { surface: 'cost', inputs: 0, failures: [], note: 'measured on Linux only', worst: [] };
  const stack = await startStack({ config: COST_CONFIG, services });
  const search = await CostSearch.begin(stack, plan);
  try {
    return await search.run();
  } finally {
    await search.stop();
    await stack.stop();
  }
}

class CostSearch {
  readonly #stack: Stack;
  readonly #random: Random;
  readonly #plan: CostPlan;
  readonly #api: UnbrokenApi;
  readonly #victim: UnbrokenApi;
  #watch: CostWatch | null = null;
  #sent = 0;
  readonly #costs: Costly[] = [];
  readonly #failures: string[] = [];

  private constructor(stack: Stack, plan: CostPlan, keys: readonly [string, string]) {
    this.#stack = stack;
    this.#random = createRandom(plan.seed);
    this.#plan = plan;
    this.#api = connectApi(stack.api.url, keys[0]);
    this.#victim = connectApi(stack.api.url, keys[1]);
  }

  static async begin(stack: Stack, plan: CostPlan): Promise<CostSearch> {
    const scopes = ['generate', 'any-user', 'admin'] as const;
    const keys = [
      await stack.addKey({ tenant: 'cost', user: 'ann', scopes: [...scopes] }),
      await stack.addKey({ tenant: 'victim', user: 'bob', scopes: [...scopes] }),
    ] as const;
    return new CostSearch(stack, plan, keys);
  }

  async run(): Promise<CostReport> {
    await this.#makePrompts();
    const read = readFamilies(await this.#makeLongAnswers());
    await this.#watchAgain();
    const alphabets = shuffled(this.#random, ALPHABETS).slice(0, ALPHABETS_PER_RUN);
    // Those that once cost most are tried in every run; of the others as many as there is room for.
    const known = [...read, ...familiesByHand(['東', '\n', ...alphabets])];
    const others = shuffled(this.#random, familiesOfBodies(this.#random));
    const { inputs, only } = this.#plan;
    for (const family of [...known, ...others].filter(({ name }) => name.includes(only))) {
      if (this.#sent >= inputs) break;
      await this.#try(family);
    }
    const worst = this.#costs.toSorted((a, b) => most(b) - most(a)).slice(0, 5);
    const details = worst.map((input) => `${inWords(input)} by ${input.family}, n = ${input.size}`);
    return {
      surface: 'cost',
      inputs: this.#sent,
      failures: this.#failures,
      worst,
      note: `longest waits: ${details.join('; ')}`,
    };
  }

  async stop(): Promise<void> {
    await this.#watch?.stop();
  }

  /** Larger and larger, until one costs too much. */
  async #try({ name, sizes, make }: CostFamily): Promise<void> {
    for (const size of sizes) {
      const input = make(size);
      let waits = await this.#measure(input);
      const isDear = () => most(waits) > MOST_MS && Number.isFinite(most(waits)) && this.#isUp();
      for (let again = 0; again < MEASURED_AGAIN && isDear(); again += 1) {
        waits = lesser(waits, await this.#measure(input));
      }
      this.#costs.push({ ...waits, family: name, size });
      if (process.env['UNBROKEN_COST_VERBOSE'] !== undefined)
        console.error(`${name}, n = ${size}: ${JSON.stringify(waits)}`);
      if (!this.#isUp()) return await this.#ended(name, size);
      if (most(waits) <= MOST_MS) continue;
      const where = waits.api > waits.worker ? 'a request to the API' : 'a stream of another tenant';
      if (!Number.isFinite(most(waits))) await this.#watchAgain();
      this.#failures.push(`${name}, n = ${size}: ${where} waited ${inWords(waits)}, at most ${MOST_MS} ms`);
      return;
    }
  }

  /** A process that ended is the longest wait of all. */
  async #ended(name: string, size: number): Promise<void> {
    this.#failures.push(`${name}, n = ${size}: ${faultsInLogs(this.#stack).join('\n')}`);
    for (const seat of [...this.#stack.apis, ...this.#stack.workers])
      if (!seat.isRunning()) await seat.restart();
    await this.#watchAgain();
  }

  #isUp(): boolean {
    return [...this.#stack.apis, ...this.#stack.workers].every((seat) => seat.isRunning());
  }

  async #measure(input: CostInput): Promise<Waits> {
    if (this.#watch === null) throw new Error('nothing is watched');
    await this.#watch.take();
    this.#sent += 1;
    for (const request of input.requests) await this.#send(request);
    if (input.frames !== undefined) await this.#sendFrames(input.frames);
    return await this.#watch.take();
  }

  /** And waits for the generation that it began, whose work is in the worker. */
  async #send(request: CostInput['requests'][number]): Promise<void> {
    const answer = await ask(this.#api.url, { ...request, caller: 'admin' }, this.#api.key).catch(() => null);
    if (answer?.status !== 201 || request.target !== '/v1/generations') return;
    const { id } = JSON.parse(answer.body) as GenerationView;
    const hasEnded = async () => (await this.#api.view(id)).body.status !== 'running';
    await waitFor(`the end of ${id}`, hasEnded, END_MS).catch(() =>
      this.#failures.push(`the generation ${id} did not end within ${END_MS} ms`),
    );
  }

  async #sendFrames({ path, texts }: NonNullable<CostInput['frames']>): Promise<void> {
    const socket = await openRawWebSocket(this.#api.url, path, this.#api.key).catch(() => null);
    if (socket === null) return;
    for (const text of texts)
      socket.write(
        encodeFrame({ fin: true, reserved: 0, opcode: 1, isMasked: true, payload: Buffer.from(text) }),
      );
    const deadline = Date.now() + FRAME_ANSWER_MS;
    while (socket.frames.length === 0 && !socket.isClosed() && Date.now() < deadline) await sleep(10);
    socket.destroy();
  }

  /** Another tenant's stream, long enough for the whole search. */
  async #watchAgain(): Promise<void> {
    await this.#watch?.stop();
    const [api, worker] = [this.#stack.apis[0], this.#stack.workers[0]];
    if (api === undefined || worker === undefined) throw new Error('the stack has no processes');
    const { body } = await this.#victim.create({
      input: '[[sim tokens=100000 delay_ms=20]]',
      cache: 'off',
      maxOutputTokens: 100_000,
    });
    this.#watch = new CostWatch({
      api: { url: this.#api.url, pid: api.pid() },
      stream: { workerPid: worker.pid(), key: this.#victim.key, generationId: body.id },
    });
    await this.#watch.take();
  }

  async #makePrompts(): Promise<void> {
    for (const placeholders of PROMPTS) {
      const messages = [
        { role: 'user', content: `${'{{x}}'.repeat(placeholders)} [[sim tokens=3 delay_ms=0]]` },
      ];
      const body = JSON.stringify({ messages, variables: { x: {} } });
      // A version that is refused for its size costs nothing more.
      await this.#api.send(`/v1/prompts/${promptName(placeholders)}/versions`, { method: 'POST', body });
    }
  }

  async #makeLongAnswers(): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let index = 0; index < LONG_ANSWERS; index += 1) {
      const { body } = await this.#api.create({
        input: `Long ${index} [[sim tokens=${LONG_TOKENS} delay_ms=0]]`,
        cache: 'off',
        maxOutputTokens: LONG_TOKENS,
      });
      ids.push(body.id);
      await waitFor(
        'a long answer',
        async () => (await this.#api.view(body.id)).body.status !== 'running',
        END_MS,
      );
    }
    return ids;
  }
}

/** The lesser of two measurements; one that never came to an end counts. */
function lesser(first: Waits, second: Waits): Waits {
  if (!Number.isFinite(most(second))) return second;
  return { api: Math.min(first.api, second.api), worker: Math.min(first.worker, second.worker) };
}

function inWords(waits: Waits): string {
  const ms = most(waits);
  return Number.isFinite(ms) ? `${ms.toFixed(0)} ms` : 'for as long as it was looked at';
}

function most({ api, worker }: Waits): number {
  return Math.max(api, worker);
}

function shuffled<Value>(random: Random, values: readonly Value[]): Value[] {
  return values
    .map((value) => ({ value, place: random.between(0, 1_000_000) }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value);
}
