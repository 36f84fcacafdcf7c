/** A log folded to its answer: what is delivered and not void, and how it ended. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import type { Usage } from '../../contracts/money.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export type Terminal = Extract<
  GenerationEvent,
  { type: 'generation-end' | 'generation-error' | 'generation-cancel' }
>;

/** What a log tells of its answer, besides the answer itself: small, however long that is. */
export interface AnswerFacts {
  readonly generationId: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** `provider/model` of the newest attempt; null before the first. */
  readonly model: string | null;
  readonly cached: boolean;
  readonly attempts: number;
  readonly end: Terminal | null;
}

export interface Answer extends AnswerFacts {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
}

export interface Fold<Value> {
  push(event: GenerationEvent): void;
  value(): Value;
}

export function createFactsFold(): Fold<AnswerFacts> {
  let facts: AnswerFacts = {
    generationId: '',
    startedAtMs: 0,
    model: null,
    cached: false,
    attempts: 0,
    end: null,
  };
  return {
    value: () => facts,
    push: (event) => {
      if (event.type === 'generation-start') {
        facts = { ...facts, generationId: event.generationId, startedAtMs: event.at };
      } else if (event.type === 'provider-start') {
        const model = `${event.provider}/${event.model}`;
        facts = { ...facts, model, cached: false, attempts: event.attempt };
      } else if (event.type === 'cache-hit') {
        facts = { ...facts, model: `${event.provider}/${event.model}`, cached: true };
      } else if (isTerminal(event)) facts = { ...facts, end: terminalOf(event) };
    },
  };
}

export function createAnswerFold(): Fold<Answer> {
  const facts = createFactsFold();
  let texts: string[] = [];
  let reasonings: string[] = [];
  let calls = new Map<number, { id: string; name: string; pieces: string[] }>();
  return {
    push: (event) => {
      facts.push(event);
      if (event.type === 'text-delta') texts.push(event.text);
      else if (event.type === 'reasoning-delta') reasonings.push(event.text);
      else if (event.type === 'tool-call-delta') {
        const call = calls.get(event.index) ?? { id: event.id, name: event.name, pieces: [] };
        call.pieces.push(event.arguments);
        calls.set(event.index, call);
      } else if (event.type === 'text-reset') {
        texts = [];
        reasonings = [];
        calls = new Map();
      }
    },
    value: () => ({
      ...facts.value(),
      text: texts.join(''),
      reasoning: reasonings.join(''),
      toolCalls: [...calls.entries()]
        .sort(([a], [b]) => a - b)
        .map(([, { id, name, pieces }]) => ({ id, name, arguments: pieces.join('') })),
    }),
  };
}

export function foldAnswer(events: Iterable<GenerationEvent>): Answer {
  const fold = createAnswerFold();
  for (const event of events) fold.push(event);
  return fold.value();
}

function terminalOf(event: GenerationEvent): Terminal | null {
  return event.type === 'generation-end' ||
    event.type === 'generation-error' ||
    event.type === 'generation-cancel'
    ? event
    : null;
}

/** Tokens as vendors count them: reasoning is part of the output, what was cached part of the input. */
export function tokensOf(usage: Usage): {
  readonly input: number;
  readonly output: number;
  readonly total: number;
} {
  const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  return { input, output, total: input + output };
}
