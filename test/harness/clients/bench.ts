/** What every client is tried against: a whole Unbroken, and a second one whose logs the test writes itself. */
import { randomUUID } from 'node:crypto';
import { promptOf } from '../prompt.ts';
import { connectScript, type Script } from '../script.ts';
import { type Stack, startStack } from '../stack.ts';
import { waitFor } from '../wait-for.ts';

export const BEHAVIOURS = ['plain', 'streaming', 'tool call', 'resume', 'error', 'cancel'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** A client, unmodified, and what it must be able to do. A behaviour throws where it fails. */
export interface ClientUnderTest {
  readonly name: string;
  readonly behaviours: Readonly<Record<Behaviour, (bench: Bench) => Promise<void>>>;
}

export interface Bench {
  readonly stack: Stack;
  readonly url: string;
  readonly key: string;
  /** Where a log is what `script` plays. */
  readonly scriptedUrl: string;
  readonly scriptedKey: string;
  readonly script: Script;
  stop(): Promise<void>;
}

export const MODEL = 'simulated/sim-large';
export const NO_CACHE = { 'x-unbroken-cache': 'off' };
const ABORT_GRACE_MS = 300;
const HEARTBEAT_MS = 500;

export async function openBench(services?: Readonly<Record<string, string>>): Promise<Bench> {
  const config = {
    wires: { clientAbortGraceMs: ABORT_GRACE_MS },
    limits: { heartbeatMs: HEARTBEAT_MS },
  };
  const provided = services === undefined ? {} : { services };
  const stack = await startStack({ config, ...provided });
  const scripted = await startStack({ workers: 0, ...provided }).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  const script = await connectScript(scripted);
  return {
    stack,
    url: stack.api.url,
    key: stack.api.key,
    scriptedUrl: scripted.api.url,
    scriptedKey: scripted.api.key,
    script,
    stop: async () => {
      script.close();
      await Promise.all([stack.stop(), scripted.stop()]);
    },
  };
}

export const newKey = () => `key-${randomUUID()}`;

/** A short question and its true answer. */
export async function question(
  { stack }: Bench,
  plan: Parameters<typeof promptOf>[0] = { tokens: 60, delayMs: 2 },
): Promise<{ readonly input: string; readonly text: string }> {
  const input = promptOf(plan);
  return { input, text: (await stack.sim.text(input)).text };
}

/** Before the first token there is a silence that heartbeats fill: no client may stumble over them. */
export const AFTER_SILENCE = { tokens: 60, delayMs: 2, firstMs: 2_500 };

export const LONG = { tokens: 3_000, delayMs: 10 };

/** What the simulated model calls `weather` with: samples of the schema. */
export const TOOL_ARGUMENTS = { city: 'Lisbon', days: 3 };
export const TOOL_RESULT = 'Rain, then sun.';

/** A question that the simulated model answers with a call of `weather`, and then, with its result, in words. */
export function toolQuestion(): string {
  return `${newKey()}: how is the weather? [[sim tool=weather tokens=30 delay_ms=1]]`;
}

export const TOOL_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const }, days: { type: 'number' as const } },
  required: ['city', 'days'],
  additionalProperties: false as const,
};

export function same(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b?.slice(0, 300)}, got ${a?.slice(0, 300)}`);
}

export function holds(what: string, condition: boolean): asserts condition {
  if (!condition) throw new Error(`did not hold: ${what}`);
}

/** The error of what must fail. */
export async function failureOf(what: string, attempt: Promise<unknown>): Promise<unknown> {
  const outcome = await attempt.then(
    () => null,
    (error: unknown) => ({ error }),
  );
  if (outcome === null) throw new Error(`did not fail: ${what}`);
  return outcome.error;
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

export async function waitForStatus({ stack }: Bench, id: string, status: string): Promise<void> {
  await waitFor(`${id} to be ${status}`, async () => (await stack.api.view(id)).body.status === status);
}

/** Nobody was asked twice. */
export async function oneCall({ stack }: Bench, attempt: () => Promise<void>): Promise<void> {
  await stack.sim.forget();
  await attempt();
  same('calls of the provider', (await stack.sim.calls()).length, 1);
}

/** Reads so many items, then leaves: the connection is cut. */
export async function takeSome(stream: AsyncIterable<unknown>, count: number): Promise<void> {
  let taken = 0;
  for await (const _ of stream) {
    taken += 1;
    if (taken === count) return;
  }
}
