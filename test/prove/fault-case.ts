/** One fault of a provider, the route that meets it, and what must be true of what the caller got. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import type { GenerationRequest } from '../../contracts/generation.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import type { Simulator } from '../harness/simulator.ts';
import type { Stack } from '../harness/stack.ts';

type GivenFault = Parameters<Simulator['fault']>[0];

export interface FaultCase {
  readonly name: string;
  /** Also the name of its route and of its models, so that cases that run side by side do not meet. */
  readonly id: string;
  /** Longest that the caller may wait for the end. */
  readonly withinMs: number;
  /** Providers that its route needs beside the simulated ones, by the address of the simulated provider. */
  readonly providers?: (simulatorUrl: string) => Readonly<Record<string, object>>;
  /** Its route; absent: `simulated/<id>`, then `simulated-messages/<id>`. */
  readonly route?: object;
  /** Faults of calls of its models, or of another model that it names. */
  readonly faults: readonly GivenFault[];
  readonly request?: Partial<GenerationRequest>;
  readonly tokens?: number;
  /** Beside that of length and pace. */
  readonly directive?: string;
  /** What must have been before, such as a stored answer to the same question. */
  readonly prepare?: (stack: Stack, input: string) => Promise<void>;
  /** What is wrong with it; empty where all is right. */
  readonly check: (seen: Seen) => string[] | Promise<string[]>;
}

/** What the caller got, and what the provider would have said. */
export interface Seen {
  readonly stack: Stack;
  readonly events: readonly GenerationEvent[];
  readonly text: string;
  readonly expected: string;
  /** The tokens of that answer. */
  readonly expectedTokens: number;
  readonly ms: number;
  /** Models in the order in which they were called, as `provider/model`. */
  readonly called: readonly string[];
}

export interface Verdict {
  readonly name: string;
  readonly problems: readonly string[];
  readonly ms: number;
  readonly bytes: number;
  readonly calls: number;
}

const TOKENS = 60;
const DELAY_MS = 4;
/** On top of a case's own time: then the run is hung. */
const HUNG_MS = 30_000;

export async function runCase(stack: Stack, faultCase: FaultCase): Promise<Verdict> {
  const prompt = promptOf({ tokens: faultCase.tokens ?? TOKENS, delayMs: DELAY_MS });
  const input = `${prompt}${faultCase.directive ?? ''}`;
  await faultCase.prepare?.(stack, input);
  for (const fault of faultCase.faults) await stack.sim.fault({ model: faultCase.id, ...fault });
  const { text: expected, tokens: expectedTokens } = await stack.sim.text(input);
  const begunAtMs = performance.now();
  const created = await stack.api.create({ input, route: faultCase.id, cache: 'off', ...faultCase.request });
  if (created.status !== 201)
    throw new Error(`${faultCase.id}: ${created.status} ${JSON.stringify(created.body)}`);
  const reading = startReading(stack.api, created.body.id);
  let timer: NodeJS.Timeout | undefined;
  const hung = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => resolve(['hung']), faultCase.withinMs + HUNG_MS);
  });
  const ended = await Promise.race([reading.whole.then(() => []), hung]).catch((error: unknown) => [
    `the reader failed: ${error}`,
  ]);
  clearTimeout(timer);
  const ms = Math.round(performance.now() - begunAtMs);
  const { events } = reading;
  const text = textOf(events);
  const called = events.flatMap((event) =>
    event.type === 'provider-start' ? [`${event.provider}/${event.model}`] : [],
  );
  const problems = [
    ...ended,
    ...faultsOf(events),
    ...(ms > faultCase.withinMs ? [`it took ${ms} ms, more than ${faultCase.withinMs} ms`] : []),
    ...(ended.length > 0
      ? []
      : await faultCase.check({ stack, events, text, expected, expectedTokens, ms, called })),
  ];
  return { name: faultCase.name, problems, ms, bytes: Buffer.byteLength(text), calls: called.length };
}

/** The caller has the whole answer, to the byte, and it is said who gave it. */
export function wholeAnswer({ events, text, expected }: Seen, model?: string): string[] {
  const last = events.at(-1);
  if (last?.type !== 'generation-end') return [`it ended by ${last?.type}: ${describe(last)}`];
  const by = `${last.provider}/${last.model}`;
  return [
    ...(text === expected ? [] : [`the text differs: ${text.length} of ${expected.length} characters`]),
    ...(model === undefined || by === model ? [] : [`${by} answered, not ${model}`]),
    ...(last.usage.outputTokens > 0 ? [] : ['no usage is reported']),
  ];
}

export function cleanError({ events }: Seen, code: string): string[] {
  const last = events.at(-1);
  if (last?.type !== 'generation-error') return [`it ended by ${last?.type}, not by an error`];
  return last.error.code === code ? [] : [`the error is ${last.error.code}, not ${code}`];
}

export function callsOf({ called }: Seen, model: string, least: number, most: number): string[] {
  const count = called.filter((candidate) => candidate === model).length;
  return count >= least && count <= most
    ? []
    : [`${model} was called ${count} times, not ${least} to ${most}`];
}

export function errorsOf({ events }: Seen, code: string): string[] {
  const codes = events.flatMap((event) => (event.type === 'provider-error' ? [event.code] : []));
  return codes.includes(code) ? [] : [`the record has no ${code}, only ${codes.join(', ') || 'nothing'}`];
}

/** Time between the first two calls of the model. */
export function gapOf({ events }: Seen, model: string): number {
  const starts = events.flatMap((event) =>
    event.type === 'provider-start' && `${event.provider}/${event.model}` === model ? [event.at] : [],
  );
  return (starts[1] ?? Number.NaN) - (starts[0] ?? Number.NaN);
}

function describe(last: GenerationEvent | undefined): string {
  return last?.type === 'generation-error' ? `${last.error.code} (${last.error.message})` : '';
}
