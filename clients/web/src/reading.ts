/** What a reader of one generation sees, folded from its events; pure, so that it is the same after every reconnect. */

import type { GenerationStatus } from '../../../contracts/generation.ts';
import { NO_USAGE, type Usage } from '../../../contracts/money.ts';
import type { GenerationEvent } from '../../typescript/index.ts';
import { formatCost, formatCount } from './format.ts';

/** How events came: `live` as they were made, `caught-up` from the log, since this reader was away or late. */
export type Arrival = 'live' | 'caught-up';

/** A stretch of events without gaps; `void` where a later event took its text back. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly kind: Arrival | 'void';
}

export interface Entry {
  readonly seq: number;
  readonly at: number;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: string;
}

export interface Reading {
  readonly id: string;
  readonly status: GenerationStatus;
  readonly text: string;
  readonly reasoning: string;
  /** What the model asks to be called, by its place in the answer. */
  readonly toolCalls: readonly ToolCall[];
  readonly provider: string | null;
  readonly model: string | null;
  readonly attempts: number;
  readonly cached: boolean;
  readonly usage: Usage;
  readonly costMicroUsd: number;
  readonly error: { readonly code: string; readonly message: string; readonly doc: string } | null;
  readonly lastSeq: number;
  readonly stretches: readonly Stretch[];
  readonly journal: readonly Entry[];
}

export function emptyReading(id: string): Reading {
  return {
    id,
    status: 'running',
    text: '',
    reasoning: '',
    toolCalls: [],
    provider: null,
    model: null,
    attempts: 0,
    cached: false,
    usage: NO_USAGE,
    costMicroUsd: 0,
    error: null,
    lastSeq: -1,
    stretches: [],
    journal: [],
  };
}

export function fold(reading: Reading, events: readonly GenerationEvent[], arrival: Arrival): Reading {
  return events.reduce((before, event) => foldOne(before, event, arrival), reading);
}

function foldOne(before: Reading, event: GenerationEvent, arrival: Arrival): Reading {
  const reading: Reading = {
    ...before,
    lastSeq: event.seq,
    stretches: extended(before.stretches, event, arrival),
    journal: journalWith(before.journal, event),
  };
  switch (event.type) {
    case 'text-delta':
      return { ...reading, text: before.text + event.text };
    case 'reasoning-delta':
      return { ...reading, reasoning: before.reasoning + event.text };
    case 'tool-call-delta': {
      const known = before.toolCalls[event.index]?.arguments ?? '';
      const call = { name: event.name, arguments: known + event.arguments };
      return { ...reading, toolCalls: Object.assign([...before.toolCalls], { [event.index]: call }) };
    }
    case 'text-reset':
      return {
        ...reading,
        text: '',
        reasoning: '',
        toolCalls: [],
        stretches: reading.stretches.map((stretch) => ({ ...stretch, kind: 'void' })),
      };
    case 'provider-start':
      return { ...reading, provider: event.provider, model: event.model, attempts: event.attempt };
    case 'cache-hit':
      return { ...reading, provider: event.provider, model: event.model, cached: true };
    case 'cap-raise':
    case 'usage-update':
      return { ...reading, usage: event.usage, costMicroUsd: event.costMicroUsd };
    case 'generation-end':
      return {
        ...reading,
        status: 'completed',
        usage: event.usage,
        costMicroUsd: event.costMicroUsd,
        cached: event.cached,
      };
    case 'generation-error':
      return {
        ...reading,
        status: 'failed',
        usage: event.usage,
        costMicroUsd: event.costMicroUsd,
        error: event.error,
      };
    case 'generation-cancel':
      return { ...reading, status: 'cancelled', usage: event.usage, costMicroUsd: event.costMicroUsd };
    default:
      return reading;
  }
}

function extended(stretches: readonly Stretch[], event: GenerationEvent, kind: Arrival): readonly Stretch[] {
  const last = stretches.at(-1);
  if (last?.kind === kind) return [...stretches.slice(0, -1), { ...last, to: event.seq }];
  return [...stretches, { from: event.from ?? event.seq, to: event.seq, kind }];
}

function journalWith(journal: readonly Entry[], event: GenerationEvent): readonly Entry[] {
  const told = tell(event);
  return told === null ? journal : [...journal, { seq: event.seq, at: event.at, ...told }];
}

const HOW = {
  start: 'starts',
  reattach: 'is taken up again where it ran on',
  prefill: 'goes on from the delivered text',
  instruct: 'is asked to go on from the delivered text',
  restart: 'begins anew',
} as const;

/** What a person wants to know of an event; null for those that come by the hundred. */
function tell(event: GenerationEvent): Pick<Entry, 'text' | 'tone'> | null {
  const plain = (text: string) => ({ text, tone: 'plain' as const });
  switch (event.type) {
    case 'generation-start':
      return plain(`Accepted on route ${event.route} for ${event.user}${promptOf(event.prompt)}`);
    case 'generation-continue':
      return plain(`Goes on with the ${formatCount(event.chars)} characters of ${event.generationId}`);
    case 'prompt-compress': {
      const [before, after] = [formatCount(event.tokensBefore), formatCount(event.tokensAfter)];
      return plain(`Context shortened from ${before} to ${after} tokens by ${event.engine}`);
    }
    case 'budget-warn':
      return {
        text: `Budget of ${event.per} ${event.id} for the ${event.window} is near its end`,
        tone: 'bad',
      };
    case 'cap-raise':
      return plain(`Output cap raised to ${formatCount(event.maxOutputTokens)} tokens`);
    case 'cache-hit':
      return { text: `Answered from the cache, similarity ${event.similarity.toFixed(2)}`, tone: 'good' };
    case 'budget-reserve':
      return plain(`Budget: ${formatCount(event.reservedTokens)} tokens reserved`);
    case 'provider-start':
      return plain(`Attempt ${event.attempt}: ${event.provider}/${event.model} ${HOW[event.strategy]}`);
    case 'provider-error':
      return { text: `Attempt ${event.attempt} ended: ${event.code}`, tone: 'bad' };
    case 'text-reset':
      return { text: 'The text so far is void', tone: 'bad' };
    case 'generation-end':
      return { text: `Whole: ${event.finishReason}, ${formatCost(event.costMicroUsd)}`, tone: 'good' };
    case 'generation-error':
      return { text: `Failed: ${event.error.code}`, tone: 'bad' };
    case 'generation-cancel':
      return { text: `Cancelled; ${formatCost(event.costMicroUsd)} billed`, tone: 'bad' };
    default:
      return null;
  }
}

/** Tokens in and out, as the provider counts them. */
export function tokensOf(usage: Usage): { readonly input: number; readonly output: number } {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = usage;
  return {
    input: inputTokens + cachedInputTokens + cacheWriteTokens,
    output: outputTokens + reasoningTokens,
  };
}

function promptOf(prompt: { readonly name: string; readonly version: number } | undefined): string {
  return prompt === undefined ? '' : `, prompt ${prompt.name} v${prompt.version}`;
}
