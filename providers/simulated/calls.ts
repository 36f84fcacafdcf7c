/** The record of calls: what was asked, and how many tokens were made for it. Tests read it as the vendor's bill. */
import { createHash } from 'node:crypto';
import { type SimulatedRun, startRun } from './generate.ts';
import { continuation, inputTokens, type SimulatedInput, scriptFor, withoutSpoken } from './true-text.ts';

export interface CallRequest {
  readonly id: string;
  readonly wire: 'openai' | 'anthropic';
  readonly model: string;
  readonly input: SimulatedInput;
  readonly maxTokens: number | undefined;
  readonly isBackground: boolean;
  /** Whether the model says nothing. */
  readonly isEmpty: boolean;
  /** Changes the text of this call; '' for the true one. */
  readonly salt: string;
}

export interface SimulatedCall extends CallRequest {
  /** The same for all calls that continue one request. */
  readonly key: string;
  readonly run: SimulatedRun;
  readonly usage: { readonly input: number } | null;
  readonly prefillChars: number;
  /** Whether the output cap is shorter than the text. */
  readonly isCut: boolean;
  readonly startedAt: number;
}

export interface Calls {
  start(request: CallRequest): SimulatedCall;
  find(id: string): SimulatedCall | undefined;
  list(): readonly object[];
  clear(): void;
}

const KEPT_CALLS = 20_000;

export function createCalls(): Calls {
  const calls = new Map<string, SimulatedCall>();
  return {
    start(request) {
      const { base, spoken } = continuation(request.input);
      const script = scriptFor(base, request.salt);
      const rest = request.isEmpty ? [] : withoutSpoken(script.tokens, spoken);
      const tokens = rest.slice(0, request.maxTokens);
      const call: SimulatedCall = {
        ...request,
        key: createHash('sha256').update(JSON.stringify(base)).digest('hex').slice(0, 16),
        run: startRun(tokens, script.delayMs, script.firstMs),
        usage: { input: inputTokens(request.input) },
        prefillChars: spoken.length,
        isCut: tokens.length < rest.length,
        startedAt: Date.now(),
      };
      calls.set(call.id, call);
      const oldest = calls.size > KEPT_CALLS ? calls.keys().next().value : undefined;
      if (oldest !== undefined) calls.delete(oldest);
      return call;
    },
    find: (id) => calls.get(id),
    list: () =>
      [...calls.values()].map(({ id, wire, model, key, run, input, prefillChars, startedAt }) => ({
        ...{ id, wire, model, key, state: run.state, cancelled: run.state === 'cancelled', startedAt },
        ...{
          outputTokensGenerated: run.made,
          inputTokens: inputTokens(input),
          prefillTokens: Math.ceil(prefillChars / 4),
        },
      })),
    clear: () => calls.clear(),
  };
}

export function usageOf({ input, run }: SimulatedCall) {
  const tokens = inputTokens(input);
  return {
    ...{ input_tokens: tokens, output_tokens: run.made, total_tokens: tokens + run.made },
    ...{ input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } },
  };
}
