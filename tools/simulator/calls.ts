/** The record of calls: what was asked, and how many tokens were made for it. Tests read it as the vendor's bill. */
import { createHash } from 'node:crypto';
import type { WireName } from './faults.ts';
import { type SimulatedRun, startRun } from './generate.ts';
import type { Journal } from './journal.ts';
import {
  continuation,
  inputTokens,
  type Piece,
  type Script,
  type SimulatedInput,
  scriptFor,
  withoutSpoken,
} from './true-text.ts';

export interface CallRequest {
  readonly id: string;
  readonly wire: WireName;
  readonly model: string;
  readonly input: SimulatedInput;
  readonly maxTokens: number | undefined;
  readonly isBackground: boolean;
  /** Whether the caller asked for the usage; most vendors tell it always. */
  readonly wantsUsage: boolean;
  /** The key that the caller sent; '' for none. */
  readonly apiKey: string;
  /** Whether the model says nothing. */
  readonly isEmpty: boolean;
  /** Whether the model begins its answer again where it was asked to continue it. */
  readonly beginsAgain: boolean;
  /** Changes the text of this call; '' for the true one. */
  readonly salt: string;
}

export interface SimulatedCall extends CallRequest {
  /** The same for all calls that continue one request. */
  readonly key: string;
  readonly run: SimulatedRun;
  readonly toolCalls: Script['toolCalls'];
  readonly prefillChars: number;
  /** Whether the output cap is shorter than the text. */
  readonly isCut: boolean;
  readonly startedAt: number;
  usage(): SimulatedUsage;
}

/** What the vendor counted; each wire reports it in its own nesting. */
export interface SimulatedUsage {
  /** All input, cached and written within. */
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  /** All output, reasoning within. */
  readonly output: number;
  readonly reasoning: number;
}

/** Requests and tokens of one API key. */
interface KeyCount {
  requests: number;
  refused: number;
}

export interface Calls {
  start(request: CallRequest): SimulatedCall;
  find(id: string): SimulatedCall | undefined;
  list(): readonly object[];
  clear(): void;
  /** A request has come with this key, whatever becomes of it. */
  count(apiKey: string, isRefused: boolean): void;
  byKey(): object;
}

const KEPT_CALLS = 20_000;

/** @param journal is told of each call when it begins, and whenever it has made more. */
export function createCalls(journal: Journal = () => undefined): Calls {
  const calls = new Map<string, SimulatedCall>();
  const counts = new Map<string, KeyCount>();
  return {
    start(request) {
      const continued = continuation(request.input);
      const { base } = continued;
      const spoken = request.beginsAgain ? '' : continued.spoken;
      const script = scriptFor(base, request.salt);
      const rest = request.isEmpty ? [] : withoutSpoken(script.pieces, spoken);
      const { id, wire, apiKey, input } = request;
      const bill = { id, wire, apiKey, prompt: JSON.stringify(input.messages) };
      const note = (made: number) => journal({ ...bill, inputTokens: billedInput(input, script), made });
      note(0);
      const run = startRun(rest.slice(0, request.maxTokens), script.delayMs, script.firstMs, note);
      const call: SimulatedCall = {
        ...request,
        key: createHash('sha256').update(JSON.stringify(base)).digest('hex').slice(0, 16),
        run,
        toolCalls: script.toolCalls,
        prefillChars: spoken.length,
        isCut: run.pieces.length < rest.length,
        startedAt: Date.now(),
        usage: () => usageOf(request.input, script, run),
      };
      calls.set(call.id, call);
      const oldest = calls.size > KEPT_CALLS ? calls.keys().next().value : undefined;
      if (oldest !== undefined) calls.delete(oldest);
      return call;
    },
    find: (id) => calls.get(id),
    list: () =>
      [...calls.values()].map(({ id, wire, model, key, apiKey, run, input, prefillChars, startedAt }) => ({
        id,
        wire,
        model,
        key,
        apiKey,
        state: run.state,
        cancelled: run.state === 'cancelled',
        startedAt,
        outputTokensGenerated: run.made,
        inputTokens: inputTokens(input),
        prefillTokens: Math.ceil(prefillChars / 4),
      })),
    clear: () => {
      calls.clear();
      counts.clear();
    },
    count(apiKey, isRefused) {
      const known = counts.get(apiKey) ?? { requests: 0, refused: 0 };
      counts.set(apiKey, { requests: known.requests + 1, refused: known.refused + (isRefused ? 1 : 0) });
    },
    byKey: () => {
      const made = (apiKey: string) =>
        [...calls.values()]
          .filter((call) => call.apiKey === apiKey)
          .reduce((sum, { run }) => sum + run.made, 0);
      return Object.fromEntries(
        [...counts].map(([apiKey, count]) => [apiKey, { ...count, outputTokensGenerated: made(apiKey) }]),
      );
    },
  };
}

function billedInput(input: SimulatedInput, { cached, written }: Pick<Script, 'cached' | 'written'>): number {
  return inputTokens(input) + cached + written;
}

function usageOf(input: SimulatedInput, script: Script, run: SimulatedRun): SimulatedUsage {
  const { cached, written } = script;
  const made = run.pieces.slice(0, run.made);
  const thoughts = made.filter(({ kind }: Piece) => kind === 'reasoning').length;
  return {
    input: billedInput(input, script),
    cached,
    written,
    output: run.made,
    reasoning: thoughts,
  };
}
