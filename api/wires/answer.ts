/** Folds a log into its answer: the text that is delivered and not void, and how the generation ended. */
import { candidateName } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import type { CacheUse } from '../generations/cache-headers.ts';
import { type AnswerCall, type AnswerPart, AnswerParts } from './answer-parts.ts';

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
  /** What the answer cache did for this answer; null: nothing. */
  readonly cache: CacheUse | null;
  readonly attempts: number;
  readonly end: Terminal | null;
  /** What the newest call left out of the request. */
  readonly dropped?: readonly string[];
}

export interface Answer extends AnswerFacts {
  /** Its content in order; what follows is part of it. */
  readonly parts: readonly AnswerPart[];
  readonly text: string;
  readonly reasoning: string;
  /** In the order in which they began. */
  readonly toolCalls: readonly AnswerCall[];
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
    cache: null,
    attempts: 0,
    end: null,
  };

  push(event: GenerationEvent): void {
    if (event.type === 'generation-start') {
      this.#facts = { ...this.#facts, generationId: event.generationId, startedAtMs: event.at };
    } else if (event.type === 'provider-start') {
      const model = candidateName(event);
      const dropped = event.dropped ?? [];
      // A call continues an answer that came from elsewhere, or replaces it.
      const cache = this.#facts.cache?.type === 'cache-skip' ? this.#facts.cache : null;
      this.#facts = { ...this.#facts, model, cache, attempts: event.attempt, dropped };
    } else if (event.type === 'cache-hit') {
      this.#facts = { ...this.#facts, model: candidateName(event), cache: event };
    } else if (event.type === 'cache-join' || event.type === 'cache-skip') {
      this.#facts = { ...this.#facts, cache: event };
    } else if (isTerminal(event)) this.#facts = { ...this.#facts, end: event };
  }

  value(): AnswerFacts {
    return this.#facts;
  }
}

/** The facts of a response that consists of several generations: it is named after the first. */
export function sumOfFacts(all: readonly AnswerFacts[]): AnswerFacts {
  const [first, ...others] = all;
  if (first === undefined)
    throw new UnbrokenError('internal', 'A response consists of at least one generation.');
  if (others.length === 0) return first;
  const ends = all.flatMap(({ end }) => end ?? []);
  const costMicroUsd = ends.reduce((sum, end) => sum + end.costMicroUsd, 0);
  return {
    ...first,
    cache: null,
    attempts: all.reduce((sum, { attempts }) => sum + attempts, 0),
    dropped: all.flatMap(({ dropped }) => dropped ?? []),
    end: first.end === null || ends.length < all.length ? null : { ...first.end, costMicroUsd },
  };
}

export class AnswerFold implements Fold<Answer> {
  readonly #facts = new FactsFold();
  readonly #parts = new AnswerParts();

  push(event: GenerationEvent): void {
    this.#facts.push(event);
    this.#parts.push(event);
  }

  value(): Answer {
    const parts = this.#parts.value();
    const textsOf = (type: 'text' | 'reasoning') =>
      parts.flatMap((part) => (part.type === type && part.text !== '' ? [part.text] : []));
    return {
      ...this.#facts.value(),
      parts,
      text: textsOf('text').join(''),
      reasoning: textsOf('reasoning').join('\n\n'),
      toolCalls: parts.filter((part) => part.type === 'tool-call'),
    };
  }
}

export function foldAnswer(events: Iterable<GenerationEvent>): Answer {
  const fold = new AnswerFold();
  for (const event of events) fold.push(event);
  return fold.value();
}

/** Why the model declined, for formats that need a text; null if it did not. */
export function refusalText(end: Terminal | null): string | null {
  if (end?.type !== 'generation-end' || end.finishReason !== 'refusal') return null;
  return end.refusal?.text || 'The model declined to answer.';
}
