import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { RedisBudgetLedger } from '../../../engine/budget/redis-budget-ledger.ts';
import {
  ask,
  balanceOf,
  bill,
  KEEP_ENTRIES_MS,
  type LedgerBench,
  ledgerOn,
  more,
  newOwner,
  startLedgerBench,
} from './ledger-bench.ts';

let bench: LedgerBench;
beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());

test.each(['tokens', 'microUsd', 'cap', 'bookedTokens'])(
  'a reservation with negative %s is not used, and nothing is booked',
  async (field) => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [{ window: 'day', amount: 1_000 }]);
    await on.ledger.reserve(ask(owner, 'broken', { max: 50 }));
    const before = await balanceOf(on, owner);
    await bench.clients[0].hSet(REDIS_KEYS.budget(owner.tenant, 'reservation', 'broken'), field, '-1');
    await expect(on.ledger.extend(more(owner, 'broken'))).rejects.toThrow('less than nothing');
    await expect(on.ledger.settle(bill(owner, 'broken', 7))).rejects.toThrow('less than nothing');
    expect(await balanceOf(on, owner)).toEqual(before);
    // Other generations of the same budgets are not affected.
    await on.ledger.reserve(ask(owner, 'sound', { max: 50 }));
    await on.ledger.settle(bill(owner, 'sound', 7));
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: before.spentTokens + 7 });
  },
);

describe('an answer of the script that contradicts the step', () => {
  const ledgerThatAnswers = (answer: object) => {
    const reply = async () => JSON.stringify(answer);
    const redis = {
      evalSha: reply,
      eval: reply,
      hGet: async () => null,
      hmGet: async () => [],
      hGetAll: async () => ({}),
      xRange: async () => [],
      zScan: async () => ({ cursor: 0, members: [] }),
    };
    return new RedisBudgetLedger({
      redis,
      limits: [],
      timeZone: 'UTC',
      keepEntriesMs: KEEP_ENTRIES_MS,
      keepUsageMs: KEEP_ENTRIES_MS,
    });
  };
  const grant = { answer: 'granted', tokens: 1, microUsd: 1, output: 1, cap: 1 };

  test.each([
    [{ ...grant, tokens: -1 }, 'a reservation holds -1 tokens'],
    [{ ...grant, microUsd: -1 }, 'and -1 micro-USD'],
    [{ ...grant, output: 2 }, 'a call may write 2 of 1 tokens'],
    [{ answer: 'settled' }, 'answered as a settlement'],
  ])('fails a reservation: %j', async (answer, message) => {
    await expect(ledgerThatAnswers(answer).reserve(ask(newOwner(), 'g'))).rejects.toThrow(message);
  });

  test('fails a settlement', async () => {
    const settling = ledgerThatAnswers({ answer: 'refused' }).settle(bill(newOwner(), 'g', 1));
    await expect(settling).rejects.toThrow('a settlement was answered "refused"');
  });

  test.each([{ answer: 'unasked', windows: [{ subject: 9, window: '24h' }] }])(
    'fails a step: %j',
    async (answer) => {
      const step = ledgerThatAnswers(answer).reserve(ask(newOwner(), 'g'));
      await expect(step).rejects.toThrow('the script named subject 9');
    },
  );
});
