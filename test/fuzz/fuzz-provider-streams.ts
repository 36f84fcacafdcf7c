/**
 * What vendors send, read by the real adapters over HTTP: recorded answers split in two at any byte must give what they
 * give whole, and answers that are broken in any way must end as an answer or as an error of our table, and soon.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { finishReasons } from '../../contracts/generation.ts';
import type { Provider, ProviderCursor, ProviderEvent } from '../../engine/providers/provider.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { adapterFor, simulatedConfig } from '../engine/providers/adapter-for.ts';
import {
  type Delivery,
  type Fixture,
  type FixtureServer,
  readFixture,
  startFixtureServer,
} from '../engine/providers/fixture-server.ts';
import { EXPECTED } from '../engine/providers/fixtures/expected.ts';
import { callOf, type Heard, hear } from '../engine/providers/hear.ts';
import { brokenAnswers } from './broken-answers.ts';
import {
  type FuzzPlan,
  inTurns,
  type SurfaceReport,
  sumOf,
  tryInputs,
  type Verdict,
  within,
} from './inputs.ts';

/** The answer is whole on the wire, and a busy machine has read it by then: nothing can still come. */
const READ_MS = 60_000;
const LANES = 4;

/** Whose recordings each wire reads. */
const RECORDINGS: Readonly<Partial<Record<WireFamily, keyof typeof EXPECTED>>> = {
  'openai-responses': 'openai-responses',
  'openai-chat': 'openai-chat',
  'anthropic-messages': 'anthropic-messages',
  google: 'google',
  cohere: 'cohere',
  'ai-sdk': 'openai-chat',
};
const WIRES = Object.keys(RECORDINGS) as WireFamily[];

interface Recording {
  readonly wire: WireFamily;
  readonly name: string;
  readonly fixture: Fixture;
}

interface Lane {
  readonly server: FixtureServer;
  readonly adapters: ReadonlyMap<WireFamily, Provider>;
}

/**
 * @param inputs how many splits and how many broken answers, half each; `everySplit`: all splits, besides the others.
 */
export async function fuzzProviderStreams({
  seed,
  inputs,
  everySplit = false,
}: FuzzPlan & { readonly everySplit?: boolean }): Promise<SurfaceReport> {
  const recordings = allRecordings();
  const lanes = await Promise.all(Array.from({ length: LANES }, openLane));
  const [first] = lanes;
  try {
    if (first === undefined) throw new Error('no lane');
    const splits = await trySplits(lanes, recordings, {
      seed,
      inputs: everySplit ? Number.POSITIVE_INFINITY : Math.ceil(inputs / 2),
    });
    const perWire: FuzzPlan = { seed, inputs: Math.ceil(inputs / 2 / WIRES.length) };
    const broken = await inTurns([...WIRES.entries()], LANES, ([index, wire]) =>
      tryBroken(lanes[index % LANES] ?? first, wire, recordings, perWire),
    );
    return sumOf('provider streams', [splits, ...broken]);
  } finally {
    await Promise.all(lanes.map(({ server }) => server.stop()));
  }
}

function allRecordings(): Recording[] {
  return WIRES.flatMap((wire) => {
    const vendor = RECORDINGS[wire];
    if (vendor === undefined) return [];
    return Object.keys(EXPECTED[vendor]).map((name) => ({ wire, name, fixture: readFixture(vendor, name) }));
  });
}

async function openLane(): Promise<Lane> {
  const server = await startFixtureServer();
  return {
    server,
    adapters: new Map(WIRES.map((wire) => [wire, adapterFor(wire, simulatedConfig(wire, server.url))])),
  };
}

async function listen(
  lane: Lane,
  wire: WireFamily,
  fixture: Fixture,
  delivery: Delivery,
): Promise<Heard | null> {
  const provider = lane.adapters.get(wire);
  if (provider === undefined) throw new Error(`no adapter ${wire}`);
  lane.server.play(fixture, delivery);
  return within(READ_MS, hear(provider, callOf({})));
}

/** Every place of every recording, or by the seed as many of them as are wanted. */
async function trySplits(
  lanes: readonly Lane[],
  recordings: readonly Recording[],
  { seed, inputs }: FuzzPlan,
): Promise<SurfaceReport> {
  // Refusals are read whole before they are parsed.
  const streams = recordings.filter(({ fixture }) => fixture.status === 200);
  const places = streams.flatMap((recording) =>
    Array.from({ length: Math.max(0, recording.fixture.body.length - 1) }, (_, at) => ({
      recording,
      at: at + 1,
    })),
  );
  const chosen =
    places.length <= inputs
      ? places
      : fc
          .sample(fc.nat({ max: places.length - 1 }), { seed, numRuns: inputs })
          .flatMap((index) => places[index] ?? []);
  const failures: string[] = [];
  const whole = new Map<Recording, Promise<Heard | null>>();
  await Promise.all(
    lanes.map(async (lane, turn) => {
      for (let index = turn; index < chosen.length; index += lanes.length) {
        const place = chosen[index];
        if (place === undefined) return;
        const { recording, at } = place;
        const { wire, name, fixture } = recording;
        // This lane reads one answer at a time, so the whole one is read before it is split.
        const unsplit = whole.get(recording) ?? listen(lane, wire, fixture, 'whole');
        whole.set(recording, unsplit);
        const expected = await unsplit;
        const heard = await listen(lane, wire, fixture, { splitAt: at });
        if (!isSame(expected, heard))
          failures.push(`${wire} ${name} is not the same when it is split at byte ${at}`);
      }
    }),
  );
  return { surface: 'splits', inputs: chosen.length, failures };
}

function isSame(first: Heard | null, second: Heard | null): boolean {
  if (first === null || second === null) return false;
  return isDeepStrictEqual(first.events, second.events) && String(first.error) === String(second.error);
}

function tryBroken(
  lane: Lane,
  wire: WireFamily,
  recordings: readonly Recording[],
  plan: FuzzPlan,
): Promise<SurfaceReport> {
  const own = recordings.filter((recording) => recording.wire === wire).map(({ fixture }) => fixture);
  return tryInputs(`${wire}: a broken answer`, brokenAnswers(own), plan, async ({ fixture, delivery }) =>
    judge(await listen(lane, wire, fixture, delivery)),
  );
}

function judge(heard: Heard | null): Verdict {
  if (heard === null) return `neither an answer nor an error within ${READ_MS} ms`;
  const wrong = heard.events.map(faultIn).find((fault) => fault !== null);
  if (wrong !== undefined) return wrong;
  const finishes = heard.events.filter(({ type }) => type === 'finish').length;
  if (heard.error === undefined) return finishes === 1 ? null : `an answer with ${finishes} ends`;
  return judgeError(heard.error);
}

function judgeError(error: unknown): Verdict {
  if (!(error instanceof UnbrokenError)) return `an error of no class: ${stackOf(error)}`;
  if (!isErrorCode(error.code)) return `an error of no code: ${error.code}`;
  const { cause } = error;
  // `fetch` says a broken connection as a TypeError that has a cause; one without is of code that read what was not
  // there.
  const isOurs = isNamed(cause, 'TypeError', 'RangeError', 'ReferenceError') && cause.cause === undefined;
  const isTaken = error.code === 'provider_stream_cut' || error.code === 'provider_connect_failed';
  return isOurs && isTaken ? `what it sent is reported as ${error.code}: ${stackOf(cause)}` : null;
}

function isNamed(error: unknown, ...names: string[]): error is Error {
  return typeof error === 'object' && error !== null && 'name' in error && names.includes(String(error.name));
}

function stackOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stack' in error
    ? String(error.stack).slice(0, 600)
    : String(error);
}

/** Whether an event is of the shape that the port promises. */
function faultIn(event: ProviderEvent): Verdict {
  const problem = `${event.type} is not as the port has it: ${JSON.stringify(event).slice(0, 300)}`;
  if ('cursor' in event && !isCursor(event.cursor)) return problem;
  const isText = (...values: unknown[]) => values.every((value) => typeof value === 'string');
  const isUsage = (usage: object) =>
    Object.entries(usage).every(([name, value]) =>
      name === 'estimated' ? typeof value === 'boolean' : isCount(value),
    );
  switch (event.type) {
    case 'text':
    case 'reasoning':
      return isText(event.text) ? null : problem;
    case 'tool-call':
      return isCount(event.index) && isText(event.id, event.name, event.arguments) ? null : problem;
    case 'usage':
      return isUsage(event.usage) ? null : problem;
    case 'finish':
      return finishReasons.includes(event.reason) && (event.usage === null || isUsage(event.usage))
        ? null
        : problem;
    default:
      return null;
  }
}

function isCursor(cursor: ProviderCursor | undefined): boolean {
  if (cursor === undefined) return true;
  const { responseId, sequenceNumber, textChars, reasoningChars = 0, toolCalls = [] } = cursor;
  // -1: before the first event.
  const counts = [
    sequenceNumber + 1,
    textChars,
    reasoningChars,
    ...toolCalls.map((call) => call.argumentsChars),
  ];
  const places = toolCalls.map(({ outputIndex }) => outputIndex);
  return typeof responseId === 'string' && [...counts, ...places].every(isCount);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
