/** Folds a log into its answer: the text that is delivered and not void, and how the generation ended. */
import { candidateName } from '../../contracts/candidate.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';

interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export type Terminal = Extract<
  GenerationEvent,
  { type: 'generation-end' | 'generation-error' | 'generation-cancel' }
>;

/** What a log says about its answer. Small, however long the answer is. */
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

export class FactsFold implements Fold<AnswerFacts> {
  #facts: AnswerFacts = {
    generationId: '',
    startedAtMs: 0,
    model: null,
    cached: false,
    attempts: 0,
    end: null,
  };

  push(event: GenerationEvent): void {
    if (event.type === 'generation-start') {
      this.#facts = { ...this.#facts, generationId: event.generationId, startedAtMs: event.at };
    } else if (event.type === 'provider-start') {
      const model = candidateName(event);
      this.#facts = { ...this.#facts, model, cached: false, attempts: event.attempt };
    } else if (event.type === 'cache-hit') {
      this.#facts = { ...this.#facts, model: candidateName(event), cached: true };
    } else if (isTerminal(event)) this.#facts = { ...this.#facts, end: event };
  }

  value(): AnswerFacts {
    return this.#facts;
  }
}

interface GrowingCall {
  readonly id: string;
  readonly name: string;
  readonly argumentDeltas: string[];
}

export class AnswerFold implements Fold<Answer> {
  readonly #facts = new FactsFold();
  #texts: string[] = [];
  #reasonings: string[] = [];
  #calls = new Map<number, GrowingCall>();

  push(event: GenerationEvent): void {
    this.#facts.push(event);
    if (event.type === 'text-delta') this.#texts.push(event.text);
    else if (event.type === 'reasoning-delta') this.#reasonings.push(event.text);
    else if (event.type === 'tool-call-delta') {
      const { index, id, name } = event;
      const call = this.#calls.get(index) ?? { id, name, argumentDeltas: [] };
      call.argumentDeltas.push(event.arguments);
      this.#calls.set(index, call);
    } else if (event.type === 'text-reset') {
      this.#texts = [];
      this.#reasonings = [];
      this.#calls = new Map();
    }
  }

  value(): Answer {
    const calls = [...this.#calls.entries()].sort(([a], [b]) => a - b);
    return {
      ...this.#facts.value(),
      text: this.#texts.join(''),
      reasoning: this.#reasonings.join(''),
      toolCalls: calls.map(([, { id, name, argumentDeltas }]) => ({
        id,
        name,
        arguments: argumentDeltas.join(''),
      })),
    };
  }
}

export function foldAnswer(events: Iterable<GenerationEvent>): Answer {
  const fold = new AnswerFold();
  for (const event of events) fold.push(event);
  return fold.value();
}
