import { describe, expect, test } from '@jest/globals';
import { correctFirstText, EMPTY_TIMELINE, foldTimeline } from '../../../clients/web/src/timeline.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';

const progress = { usage: NO_USAGE, costMicroUsd: 0 };
const START: EventBody = { type: 'generation-start', generationId: 'g', route: 'default', user: 'u' };

function attempt(number: number, model: string): EventBody {
  return { type: 'provider-start', provider: 'p', model, attempt: number, strategy: 'start' };
}

function failure(number: number, model: string): EventBody {
  const error = { code: 'provider_unavailable', message: '', resumable: false };
  return { type: 'provider-error', provider: 'p', model, attempt: number, ...error, ...progress };
}

/** Folds events that were written at these times. */
function timelineOf(...events: readonly (readonly [atMs: number, body: EventBody & { from?: number }])[]) {
  return events
    .map(([at, body], seq) => ({ ...body, seq, at }) as GenerationEvent)
    .reduce(foldTimeline, EMPTY_TIMELINE);
}

function lines({ steps }: ReturnType<typeof timelineOf>): string[] {
  return steps.map(
    ({ name, fromMs, untilMs, isVoid }) => `${name} ${fromMs}-${untilMs}${isVoid ? ' void' : ''}`,
  );
}

describe('the timeline of a run', () => {
  test('is queue, first token and output, without a gap', () => {
    const timeline = timelineOf(
      [0, START],
      [10, attempt(1, 'm')],
      [25, { type: 'text-delta', text: 'a' }],
      [30, { type: 'text-delta', text: 'b' }],
      [40, { type: 'generation-cancel', attempts: 1, ...progress }],
    );
    expect(lines(timeline)).toEqual([
      'Queue 0-10',
      'Attempt 1: first token 10-25',
      'Attempt 1: output 25-40',
      'Cancelled 40-40',
    ]);
    expect(timeline.endedAtMs).toBe(40);
  });

  test('names the wait for a retry, and a fallback, by what follows', () => {
    const timeline = timelineOf(
      [0, START],
      [10, attempt(1, 'm')],
      [20, failure(1, 'm')],
      [30, attempt(2, 'm')],
      [40, failure(2, 'm')],
      [55, attempt(3, 'other')],
    );
    expect(lines(timeline)).toEqual([
      'Queue 0-10',
      'Attempt 1: first token 10-20',
      'Wait for the retry 20-30',
      'Attempt 2: first token 30-40',
      'Fallback 40-55',
      'Attempt 3: first token 55-null',
    ]);
  });

  test('marks what was withdrawn, and nothing after it', () => {
    const timeline = timelineOf(
      [0, START],
      [10, attempt(1, 'm')],
      [20, { type: 'text-delta', text: 'a' }],
      [30, failure(1, 'm')],
      [40, attempt(2, 'm')],
      [45, { type: 'text-reset', reason: 'restart' }],
      [50, { type: 'text-delta', text: 'b' }],
    );
    expect(lines(timeline)).toEqual([
      'Queue 0-10',
      'Attempt 1: first token 10-20',
      'Attempt 1: output 20-30 void',
      'Wait for the retry 30-40',
      'Attempt 2: first token 40-50',
      'Attempt 2: output 50-null',
    ]);
  });

  test('of a log that is read late has the exact time of the first token once it is known', () => {
    const timeline = timelineOf(
      [0, START],
      [10, attempt(1, 'm')],
      [90, { type: 'text-delta', text: 'abc', from: 1 }],
      [100, { type: 'generation-cancel', attempts: 1, ...progress }],
    );
    expect(timeline.steps[2]?.mergedFrom).toBe(1);
    expect(lines(correctFirstText(timeline, 1, 15))).toContain('Attempt 1: output 15-100');
    expect(lines(correctFirstText(timeline, 1, 15))).toContain('Attempt 1: first token 10-15');
  });
});
