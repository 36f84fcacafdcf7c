import { beforeEach, describe, expect, test } from '@jest/globals';
import { WorkflowNotFoundError } from '@temporalio/client';
import { RunLookup } from '../../../api/generations/run-lookup.ts';

const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key_1', scopes: ['generate'] } as const;
const idOf = (number: number) => `gen_${number.toString(16).padStart(32, '0')}`;
let lookups: string[];
let runs: RunLookup;
beforeEach(() => {
  lookups = [];
  const getHandle = (id: string) => {
    lookups.push(id);
    return { describe: () => Promise.reject(new WorkflowNotFoundError('none', id, undefined)) };
  };
  // Only the look-ups at Temporal matter here.
  runs = new RunLookup({ workflow: { getHandle } } as unknown as ConstructorParameters<typeof RunLookup>[0]);
});

describe('Temporal', () => {
  test.each(['gen_1', 'gen_', 'x', `gen_${'A'.repeat(32)}`, `gen_${'0'.repeat(33)}`, '../other'])(
    'is not asked about %s, which is not one of our ids',
    async (id) => {
      expect(await runs.has(caller, id)).toBe(false);
      expect(lookups).toEqual([]);
    },
  );

  test('is asked once about an unknown generation, and once for each tenant', async () => {
    for (let again = 0; again < 5; again += 1) expect(await runs.has(caller, idOf(1))).toBe(false);
    expect(lookups).toEqual([`acme/${idOf(1)}`]);
    await runs.has({ ...caller, tenant: 'beta' }, idOf(1));
    expect(lookups).toHaveLength(2);
  });

  test('is asked again once the bounded cache has dropped the answer', async () => {
    for (let number = 0; number <= 10_000; number += 1) await runs.has(caller, idOf(number));
    const before = lookups.length;
    await runs.has(caller, idOf(10_000));
    expect(lookups.length).toBe(before);
    await runs.has(caller, idOf(0));
    expect(lookups.length).toBe(before + 1);
  });
});
