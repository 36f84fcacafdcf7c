import { describe, expect, test } from '@jest/globals';
import { differences } from '../../../tools/bench/growth-check.ts';

const row = (name: string, group: string, ...events: readonly number[]) => ({
  name,
  group,
  runs: events.map((count) => ({ events: count })),
});

describe('histories that must be of one length', () => {
  test('equal ones within each group are in order', () => {
    expect(differences([row('a', 'short', 7, 7), row('b', 'long', 14), row('c', 'long', 14, 14)])).toEqual(
      [],
    );
  });

  test('one run that differs is named, in its own row or in another', () => {
    expect(differences([row('a', 'long', 14, 17), row('b', 'long', 20)])).toEqual([
      'a: 17 events, where a has 14',
      'b: 20 events, where a has 14',
    ]);
  });

  test('a row of which no run was looked at is no proof', () => {
    expect(differences([row('a', 'long')])).toEqual(['a: no run was looked at']);
  });
});
