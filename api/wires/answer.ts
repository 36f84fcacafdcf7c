/** A log folded to its answer: what is delivered and not void, and how it ended. */
import { type GenerationEvent, isTerminal } from '../../contracts/events.ts';
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

export interface Answer {
  readonly generationId: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** `provider/model` of the newest attempt; null before the first. */
  readonly model: string | null;
  readonly cached: boolean;
  readonly attempts: number;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  readonly end: Terminal | null;
}

export interface AnswerFold {
  push(event: GenerationEvent): void;
  answer(): Answer;
}

export function createAnswerFold(): AnswerFold {
  let generationId = '';
  let startedAtMs = 0;
  let model: string | null = null;
  let cached = false;
  let attempts = 0;
  let texts: string[] = [];
  let reasonings: string[] = [];
  let calls = new Map<number, { id: string; name: string; pieces: string[] }>();
  let end: Terminal | null = null;
  return {
    push: (event) => {
      if (event.type === 'generation-start') {
        generationId = event.generationId;
        startedAtMs = event.at;
      } else if (event.type === 'provider-start' || event.type === 'cache-hit') {
        model = `${event.provider}/${event.model}`;
        cached = event.type === 'cache-hit';
        attempts = event.type === 'provider-start' ? event.attempt : attempts;
      } else if (event.type === 'text-delta') texts.push(event.text);
      else if (event.type === 'reasoning-delta') reasonings.push(event.text);
      else if (event.type === 'tool-call-delta') {
        const call = calls.get(event.index) ?? { id: event.id, name: event.name, pieces: [] };
        call.pieces.push(event.arguments);
        calls.set(event.index, call);
      } else if (event.type === 'text-reset') {
        texts = [];
        reasonings = [];
        calls = new Map();
      } else if (isTerminal(event)) end = terminalOf(event);
    },
    answer: () => ({
      ...{ generationId, startedAtMs, model, cached, attempts, end },
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
  return fold.answer();
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
