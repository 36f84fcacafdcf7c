/**
 * Folds the events of one generation into the state that the page shows. Text, usage and timeline are the same after
 * every reconnect; `stretches` also record how events arrived.
 */
import type { FinishReason, GenerationStatus } from '../../../contracts/generation.ts';
import { NO_USAGE, type Usage } from '../../../contracts/money.ts';
import type { GenerationEvent } from '../../typescript/index.ts';
import { type JournalEntry, journalWith } from './journal.ts';
import { EMPTY_TIMELINE, foldTimeline, type Timeline } from './timeline.ts';

/** How events arrived: `live` as they were produced, or `caught-up` from the log after a disconnect or a late start. */
export type Arrival = 'live' | 'caught-up';

/** Consecutive events without a gap; `void` if a later event has voided their text. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly kind: Arrival | 'void';
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** Text that a `text-reset` has withdrawn. */
interface VoidText {
  readonly seq: number;
  readonly text: string;
  readonly reasoning: string;
  readonly reason: string;
}

/** What an answer consists of: the page keeps it after the log has expired. */
export interface Answer {
  readonly id: string;
  readonly status: GenerationStatus;
  readonly text: string;
  readonly reasoning: string;
  /** The tool calls of the answer, by their index. */
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: FinishReason | null;
  /** Why the model declined; absent if it did not say so. */
  readonly refusal?: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly attempts: number;
  readonly cached: boolean;
  readonly usage: Usage;
  readonly costMicroUsd: number;
  readonly error: { readonly code: string; readonly message: string; readonly doc: string } | null;
  /** When it was accepted and when it ended, ms since 1970. */
  readonly beganAtMs: number | null;
  readonly endedAtMs: number | null;
}

export interface GenerationState extends Answer {
  readonly voided: readonly VoidText[];
  readonly timeline: Timeline;
  /** When the server wrote the newest event, ms since 1970. */
  readonly lastAtMs: number;
  readonly lastSeq: number;
  readonly stretches: readonly Stretch[];
  readonly journal: readonly JournalEntry[];
}

export function initialState(id: string): GenerationState {
  return {
    id,
    status: 'running',
    text: '',
    reasoning: '',
    toolCalls: [],
    finishReason: null,
    provider: null,
    model: null,
    attempts: 0,
    cached: false,
    usage: NO_USAGE,
    costMicroUsd: 0,
    error: null,
    beganAtMs: null,
    endedAtMs: null,
    voided: [],
    timeline: EMPTY_TIMELINE,
    lastAtMs: 0,
    lastSeq: -1,
    stretches: [],
    journal: [],
  };
}

export function foldEvents(
  state: GenerationState,
  events: readonly GenerationEvent[],
  arrival: Arrival,
): GenerationState {
  return events.reduce((before, event) => foldEvent(before, event, arrival), state);
}

function foldEvent(before: GenerationState, event: GenerationEvent, arrival: Arrival): GenerationState {
  const state: GenerationState = {
    ...before,
    lastSeq: event.seq,
    lastAtMs: event.at,
    stretches: extendStretches(before.stretches, event, arrival),
    journal: journalWith(before.journal, event),
    timeline: foldTimeline(before.timeline, event),
  };
  switch (event.type) {
    case 'generation-start':
      return { ...state, beganAtMs: event.at };
    case 'text-delta':
      return { ...state, text: before.text + event.text };
    case 'reasoning-delta':
      return { ...state, reasoning: before.reasoning + event.text };
    case 'tool-call-delta': {
      const soFar = before.toolCalls[event.index]?.arguments ?? '';
      const call = { id: event.id, name: event.name, arguments: soFar + event.arguments };
      return { ...state, toolCalls: Object.assign([...before.toolCalls], { [event.index]: call }) };
    }
    case 'text-reset':
      return {
        ...state,
        text: '',
        reasoning: '',
        toolCalls: [],
        voided: withVoidText(before, event),
        stretches: state.stretches.map((stretch) => ({ ...stretch, kind: 'void' })),
      };
    case 'provider-start':
      return { ...state, provider: event.provider, model: event.model, attempts: event.attempt };
    case 'cache-hit':
      return { ...state, provider: event.provider, model: event.model, cached: true };
    case 'cap-raise':
    case 'usage-update':
      return { ...state, usage: event.usage, costMicroUsd: event.costMicroUsd };
    case 'generation-end':
      return {
        ...state,
        status: 'completed',
        finishReason: event.finishReason,
        ...(event.refusal?.text === undefined ? {} : { refusal: event.refusal.text }),
        endedAtMs: event.at,
        usage: event.usage,
        costMicroUsd: event.costMicroUsd,
        cached: event.cached,
      };
    case 'generation-error':
      return {
        ...state,
        status: 'failed',
        endedAtMs: event.at,
        usage: event.usage,
        costMicroUsd: event.costMicroUsd,
        error: event.error,
      };
    case 'generation-cancel':
      return {
        ...state,
        status: 'cancelled',
        endedAtMs: event.at,
        usage: event.usage,
        costMicroUsd: event.costMicroUsd,
      };
    default:
      return state;
  }
}

function withVoidText(
  { voided, text, reasoning }: GenerationState,
  { seq, reason }: GenerationEvent & { readonly type: 'text-reset' },
): readonly VoidText[] {
  return text === '' && reasoning === '' ? voided : [...voided, { seq, text, reasoning, reason }];
}

function extendStretches(
  stretches: readonly Stretch[],
  event: GenerationEvent,
  kind: Arrival,
): readonly Stretch[] {
  const last = stretches.at(-1);
  if (last?.kind === kind) return [...stretches.slice(0, -1), { ...last, to: event.seq }];
  return [...stretches, { from: event.from ?? event.seq, to: event.seq, kind }];
}
