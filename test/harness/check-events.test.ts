import { describe, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../contracts/events.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { compareReading, faultsOf } from './check-events.ts';

const delta = (seq: number, text: string): GenerationEvent => ({ type: 'text-delta', seq, at: 0, text });
const cancel = (seq: number): GenerationEvent => ({
  type: 'generation-cancel',
  seq,
  at: 0,
  attempts: 1,
  costMicroUsd: 0,
  usage: NO_USAGE,
});

describe('the checker of readings', () => {
  test('finds nothing wrong in a whole reading', () => {
    const events = [delta(0, 'one '), { ...delta(2, 'two three'), from: 1 }, cancel(3)];
    expect(faultsOf(events)).toEqual([]);
    expect(compareReading(events, 'one two three')).toEqual({ lost: 0, duplicated: 0 });
  });

  test('counts a token and a number that are missing', () => {
    const events = [delta(0, 'one '), delta(2, 'three'), cancel(3)];
    expect(faultsOf(events)).toEqual(['seq 1 was expected, 2 (text-delta) came']);
    expect(compareReading(events, 'one two three')).toEqual({ lost: 2, duplicated: 0 });
  });

  test('counts a token that came twice under fresh numbers', () => {
    const events = [delta(0, 'one '), delta(1, 'one '), delta(2, 'two'), cancel(3)];
    expect(compareReading(events, 'one two')).toEqual({ lost: 0, duplicated: 1 });
  });

  test('refuses an end that is not the last, and two ends', () => {
    expect(faultsOf([cancel(0), delta(1, 'late')])).toEqual(['the last event is text-delta']);
    expect(faultsOf([cancel(0), cancel(1)])).toEqual(['2 terminal events']);
    expect(faultsOf([delta(0, 'cut')])).toHaveLength(2);
  });
});
