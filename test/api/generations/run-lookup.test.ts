import { beforeEach, describe, expect, test } from '@jest/globals';
import { WorkflowNotFoundError } from '@temporalio/client';
import { RunLookup } from '../../../api/generations/run-lookup.ts';

const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key_1', scopes: ['generate'] } as const;
const idOf = (number: number) => `gen_${number.toString(16).padStart(32, '0')}`;
let asked: string[];
let runs: RunLookup;
beforeEach(() => {
  asked = [];
  const getHandle = (id: string) => {
    asked.push(id);
    return { describe: () => Promise.reject(new WorkflowNotFoundError('none', id, undefined)) };
  };
  // Only what is asked of Temporal, and how often, is of interest here.
  runs = new RunLookup({ workflow: { getHandle } } as unknown as ConstructorParameters<typeof RunLookup>[0]);
});

describe('Temporal', () => {
  test.each(['gen_1', 'gen_', 'x', `gen_${'A'.repeat(32)}`, `gen_${'0'.repeat(33)}`, '../other'])(
    'is not asked for %s, which is no id of ours',
    async (id) => {
      expect(await runs.has(caller, id)).toBe(false);
      expect(asked).toEqual([]);
    },
  );

  test('is asked once for a generation that it does not know, and once for each tenant', async () => {
    for (let again = 0; again < 5; again += 1) expect(await runs.has(caller, idOf(1))).toBe(false);
    expect(asked).toEqual([`acme/${idOf(1)}`]);
    await runs.has({ ...caller, tenant: 'beta' }, idOf(1));
    expect(asked).toHaveLength(2);
  });

  test('is asked again for what was forgotten, so that what is remembered has a limit', async () => {
    for (let number = 0; number <= 10_000; number += 1) await runs.has(caller, idOf(number));
    const before = asked.length;
    await runs.has(caller, idOf(10_000));
    expect(asked.length).toBe(before);
    await runs.has(caller, idOf(0));
    expect(asked.length).toBe(before + 1);
  });
});
