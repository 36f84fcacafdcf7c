/** The plan is what makes a seed worth keeping. */
import { describe, expect, test } from '@jest/globals';
import { planRequests, type RequestKind } from './plan.ts';
import { planHarm } from './plan-harm.ts';

const INDICES = Array.from({ length: 600 }, (_, index) => index);

describe('the plan of the matrix', () => {
  test('is the same for the same seed, and another for another', () => {
    const planned = (seed: number) =>
      INDICES.map((index) => [planRequests(seed, index), planHarm(seed, index)]);
    expect(planned(7)).toEqual(planned(7));
    expect(planned(7)).not.toEqual(planned(8));
  });
  test('has every kind many times, and no name twice', () => {
    const requests = INDICES.flatMap((index) => planRequests(5, index));
    const counts = Map.groupBy(requests, ({ kind }) => kind);
    const kinds: RequestKind[] = [
      'plain',
      'shared',
      'burst',
      'tools',
      'json',
      'reasoning',
      'flight',
      'queue',
      'reused',
      'deleted',
      'conversation',
    ];

    expect(kinds.filter((kind) => (counts.get(kind)?.length ?? 0) < 10)).toEqual([]);
    expect(new Set(requests.map(({ name }) => name)).size).toBe(requests.length);
  });
  test('has backlogs, and wires that break at a byte', () => {
    const harms = INDICES.map((index) => planHarm(5, index));
    expect(harms.filter(({ kind }) => kind === 'backlog').length).toBeGreaterThan(20);
    expect(harms.filter((harm) => harm.kind === 'cut' && harm.fault.kind === 'break').length).toBeGreaterThan(
      20,
    );
  });
});
