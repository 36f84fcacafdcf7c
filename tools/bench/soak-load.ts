/**
 * A constant load of readers of several kinds: a new one begins whenever it is due, however slow the others are. Each
 * says by an error what it should not have got.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import { faultsOf } from '../../test/harness/check-events.ts';
import { promptOf } from '../../test/harness/prompt.ts';
import type { Stack } from '../../test/harness/stack.ts';
import { openStreamSocket } from '../../test/harness/stream-socket.ts';
import { eventsOf } from '../../test/harness/unbroken-api.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { streamOnce } from './load.ts';

const MODEL = 'simulated/sim-large';
const SHORT = { tokens: 40, delayMs: 5 };
const LONG = { tokens: 150, delayMs: 20 };
const READ_BEFORE_CUT = 40;
const QUESTIONS = 20;
const TICK_MS = 20;
/** More than this at once: the stack is slower than the load, and nothing steady can be measured. */
const MOST_AT_ONCE = 400;
const LEAVES_WITHIN_MS = 60_000;
const FAILURES_KEPT = 100;

export const readerKinds = [
  'SSE',
  'WebSocket',
  'reconnects',
  'cancels',
  'cache hit',
  'chat completions',
] as const;
export type ReaderKind = (typeof readerKinds)[number];

/** Of ten readers; in this order, over and over. */
const ROUND: readonly ReaderKind[] = [
  'SSE',
  'reconnects',
  'cache hit',
  'WebSocket',
  'SSE',
  'chat completions',
  'cancels',
  'reconnects',
  'cache hit',
  'WebSocket',
];

interface Heard {
  /** Absent if the wire has a different id. */
  readonly id?: string;
  /** From sending the request to its first text; only of those who streamed at once. */
  readonly firstMs?: number;
}

export interface SoakLoad {
  /** Ended as they should. */
  readonly done: number;
  readonly failures: readonly string[];
  readonly failed: number;
  readonly atOnce: number;
  /** The generation of this kind that ended last. */
  newest(kind: ReaderKind): string | undefined;
  /** Times to first text since the last call. */
  takeFirstMs(): number[];
  /** Begins no more, and waits for those that run. */
  stop(): Promise<void>;
}

export async function startLoad(stack: Stack, rate: number): Promise<SoakLoad> {
  for (let index = 0; index < QUESTIONS; index += 1) await ask(stack, questionOf(index), 'generation-end');
  const newest = new Map<ReaderKind, string>();
  const failures: string[] = [];
  /** The kinds of those that run, by their place in the load. */
  const running = new Map<number, ReaderKind>();
  let [begun, done, failed] = [0, 0, 0];
  let firstMs: number[] = [];
  const fail = (kind: string, error: unknown) => {
    failed += 1;
    if (failures.length < FAILURES_KEPT)
      failures.push(`${kind}: ${error instanceof Error ? error.message : error}`);
  };
  const begin = async (kind: ReaderKind, index: number) => {
    running.set(index, kind);
    try {
      const heard = await READERS[kind](stack, index);
      done += 1;
      if (heard.id !== undefined) newest.set(kind, heard.id);
      if (heard.firstMs !== undefined) firstMs.push(heard.firstMs);
    } catch (error) {
      fail(kind, error);
    } finally {
      running.delete(index);
    }
  };
  const startedAt = performance.now();
  const clock = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * rate;
    for (; begun < due; begun += 1) {
      const kind = ROUND[begun % ROUND.length] ?? 'SSE';
      if (running.size < MOST_AT_ONCE) void begin(kind, begun);
      else fail(kind, `not begun: ${MOST_AT_ONCE} others run already`);
    }
  }, TICK_MS);
  return {
    get done() {
      return done;
    },
    get failed() {
      return failed;
    },
    get atOnce() {
      return running.size;
    },
    failures,
    newest: (kind) => newest.get(kind),
    takeFirstMs: () => {
      const taken = firstMs;
      firstMs = [];
      return taken;
    },
    async stop() {
      clearInterval(clock);
      const areGone = waitFor(
        'the last readers to have their ends',
        () => running.size === 0,
        LEAVES_WITHIN_MS,
      );
      await areGone.catch(() => {
        for (const [index, kind] of running) fail(kind, `reader ${index} of ${begun} never had its end`);
      });
    },
  };
}

const READERS: Readonly<Record<ReaderKind, (stack: Stack, index: number) => Promise<Heard>>> = {
  SSE: (stack) => ask(stack, { input: promptOf(SHORT), cache: 'off' }, 'generation-end'),

  'cache hit': (stack, index) => ask(stack, questionOf(index % QUESTIONS), 'generation-end'),

  async WebSocket(stack) {
    const id = await create(stack, SHORT);
    const socket = await openStreamSocket(stack.api);
    try {
      socket.send({ type: 'subscribe', generationId: id });
      await waitFor('the end on a WebSocket', () => socket.events(id).some(isTerminal));
      expectWhole(socket.events(id), 'generation-end');
    } finally {
      await socket.close();
    }
    return { id };
  },

  async reconnects(stack) {
    const id = await create(stack, LONG);
    const events: GenerationEvent[] = [];
    for (let connection = 0; !events.some(isTerminal); connection += 1) {
      if (connection > LONG.tokens) throw new Error('no end after many connections');
      const enough = (some: GenerationEvent[]) => some.length >= READ_BEFORE_CUT;
      events.push(...(await stack.api.readOnce(id, events.at(-1)?.seq ?? -1, enough)));
    }
    expectWhole(events, 'generation-end');
    return { id };
  },

  async cancels(stack) {
    const id = await create(stack, { ...LONG, tokens: 600 });
    const enough = (some: GenerationEvent[]) => some.length >= 2 * READ_BEFORE_CUT;
    const events = await stack.api.readOnce(id, -1, enough);
    const { status } = await stack.api.cancel(id);
    if (status !== 202) throw new Error(`the cancel was answered with ${status}`);
    events.push(...(await stack.api.readOnce(id, events.at(-1)?.seq ?? -1)));
    expectWhole(events, 'generation-cancel');
    return { id };
  },

  async 'chat completions'(stack) {
    const messages = [{ role: 'user', content: promptOf(SHORT) }];
    await streamOnce({
      url: `${stack.api.url}/v1/chat/completions`,
      key: stack.api.key,
      body: { model: MODEL, messages, stream: true },
      headers: { 'x-unbroken-cache': 'off' },
      isText: ({ choices = [] }) =>
        Boolean((choices as { delta?: { content?: string | null } }[])[0]?.delta?.content),
      onEvent: ({ error }) => (error === undefined ? undefined : 'an error in the stream'),
    });
    return {};
  },
};

/** The same words each time: all but the first are hits. */
function questionOf(index: number): GenerationRequest {
  const { tokens, delayMs } = SHORT;
  return {
    input: `What does part number ${1_000 + index} of the soak do? [[sim tokens=${tokens} delay_ms=${delayMs}]]`,
    cache: 'on',
  };
}

async function ask(stack: Stack, request: GenerationRequest, end: GenerationEvent['type']): Promise<Heard> {
  const sentAt = performance.now();
  const response = await stack.api.send('/v1/generations', {
    method: 'POST',
    body: JSON.stringify({ model: MODEL, stream: true, ...request }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const events: GenerationEvent[] = [];
  let firstMs: number | undefined;
  for await (const event of eventsOf(response)) {
    events.push(event);
    if (event.type === 'text-delta') firstMs ??= performance.now() - sentAt;
  }
  expectWhole(events, end);
  const [start] = events;
  if (start?.type !== 'generation-start' || firstMs === undefined) throw new Error('a stream without text');
  return { id: start.generationId, ...(request.cache === 'off' ? { firstMs } : {}) };
}

async function create(stack: Stack, plan: { tokens: number; delayMs: number }): Promise<string> {
  const { status, body } = await stack.api.create({ input: promptOf(plan), cache: 'off', model: MODEL });
  if (status !== 201) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body.id;
}

function expectWhole(events: readonly GenerationEvent[], end: GenerationEvent['type']): void {
  const faults = faultsOf(events);
  const last = events.at(-1)?.type;
  if (last !== end) faults.push(`the last event is ${last ?? 'none'}, not ${end}`);
  if (faults.length > 0) throw new Error(faults.join('; '));
}
