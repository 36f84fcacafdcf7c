import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ask,
  balanceOf,
  bill,
  charge,
  DAILY,
  DAY_MS,
  expectBalanced,
  type LedgerBench,
  ledgerOn,
  limitOf,
  MIDNIGHT,
  more,
  newOwner,
  reservedBy,
  startLedgerBench,
} from './ledger-bench.ts';

let bench: LedgerBench;
beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());

describe('reserve', () => {
  test('2,000 concurrent reservations from two clients never cross a small limit', async () => {
    const owner = newOwner();
    const limit = 1_000;
    const ledgers = bench.clients.map((redis) => ledgerOn(redis, DAILY(limit)));
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        ledgers.map(({ ledger }, at) =>
          ledger.reserve(ask(owner, `g-${index}-${at}`, { input: 3, max: 14, min: 2 })),
        ),
      ).flat(),
    );
    const granted = outcomes.reduce((sum, outcome) => sum + reservedBy(outcome), 0);
    const first = ledgerOn(bench.clients[0], DAILY(limit));
    expect(outcomes).toHaveLength(2_000);
    expect((await balanceOf(first, owner)).reservedTokens).toBe(granted);
    expect(granted).toBeLessThanOrEqual(limit);
    expect(limit - granted).toBeLessThan(3 + 2);
    await expectBalanced(first, owner.tenant);
  });

  test('the output is clipped to what is left, and refused if the minimum does not fit', async () => {
    const owner = newOwner();
    const { ledger } = ledgerOn(bench.clients[0], DAILY(100));
    expect(await ledger.reserve(ask(owner, 'a', { input: 10, max: 40 }))).toEqual({
      granted: true,
      reservedTokens: 50,
      reservedMicroUsd: 0,
      maxOutputTokens: 40,
      capTokens: 40,
      remainingTokens: 50,
      warnings: [],
    });
    expect(await ledger.reserve(ask(owner, 'b', { input: 20, max: 40, min: 31 }))).toEqual({
      granted: false,
      needed: 51,
      budget: {
        per: 'user',
        id: 'ann',
        window: 'day',
        unit: 'tokens',
        limit: 100,
        spent: 0,
        resetsAtMs: MIDNIGHT,
      },
      remaining: 50,
    });
    expect(await ledger.reserve(ask(owner, 'c', { input: 20, max: 40, min: 30 }))).toMatchObject({
      granted: true,
      reservedTokens: 50,
      maxOutputTokens: 30,
      remainingTokens: 0,
    });
  });

  test('all budgets are reserved or none, clipped to the one that has the least left', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [
      { window: 'day', amount: 1_000 },
      { per: 'team', window: 'month', amount: 300 },
      { per: 'key', window: '24h', amount: 5_000 },
      { per: 'user', window: 'day', unit: 'micro-usd', amount: 400 },
    ]);
    const price = { fixedMicroUsd: 100, outputMicroUsdPerMillion: 2_000_000 };
    // 150 tokens cost 100 + 300: the money is the tightest.
    expect(await on.ledger.reserve(ask(owner, 'a', { input: 50, max: 900, price }))).toMatchObject({
      granted: true,
      maxOutputTokens: 150,
      reservedTokens: 200,
      reservedMicroUsd: 400,
    });
    const before = await on.accounts.balances(owner.tenant, 'team', 'red');
    expect(await on.ledger.reserve(ask(owner, 'b', { input: 10, max: 50, price }))).toMatchObject({
      granted: false,
      budget: { per: 'user', unit: 'micro-usd' },
      remaining: 0,
    });
    const other = { ...owner, user: 'bob' };
    expect(await on.ledger.reserve(ask(other, 'c', { input: 90, max: 50, min: 20 }))).toMatchObject({
      granted: false,
      budget: { per: 'team', id: 'red', window: 'month' },
      remaining: 100,
    });
    expect(await on.accounts.balances(owner.tenant, 'team', 'red')).toEqual(before);
    await expectBalanced(on, owner.tenant);
  });

  test('asked again, a generation gets its first answer and nothing more is reserved', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    const answer = await on.ledger.reserve(ask(owner, 'a', { input: 10, max: 200 }));
    expect(answer).toMatchObject({ granted: true, reservedTokens: 100, maxOutputTokens: 90 });
    expect(await on.ledger.reserve(ask(owner, 'a', { input: 10, max: 200 }))).toEqual(answer);
    expect((await balanceOf(on, owner)).reservedTokens).toBe(100);
  });

  test('one user has no part in the budget of another, nor one tenant in that of another', async () => {
    const { ledger } = ledgerOn(bench.clients[0], DAILY(100));
    const owner = newOwner();
    for (const someOwner of [owner, { ...owner, user: 'bob' }, newOwner()]) {
      expect(await ledger.reserve(ask(someOwner, `a-${someOwner.tenant}-${someOwner.user}`))).toMatchObject({
        granted: true,
      });
      expect(await ledger.reserve(ask(someOwner, `b-${someOwner.tenant}-${someOwner.user}`))).toMatchObject({
        granted: false,
      });
    }
  });

  test('a soft budget refuses nothing', async () => {
    const owner = newOwner();
    const { ledger } = ledgerOn(bench.clients[0], [{ window: 'day', amount: 10, mode: 'soft' }]);
    expect(await ledger.reserve(ask(owner, 'a', { max: 100 }))).toMatchObject({
      granted: true,
      maxOutputTokens: 100,
    });
  });

  test('a generation that was settled before it was reserved gets no reservation, which no step would release', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    await on.ledger.settle(bill(owner, 'a', 0));
    expect(await on.ledger.reserve(ask(owner, 'a'))).toEqual({ granted: false, budget: null, remaining: 0 });
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 0, reservedTokens: 0 });
  });
});

describe('extend', () => {
  test('books the ended attempts once, and reserves what the next one needs', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(1_000));
    await on.ledger.reserve(ask(owner, 'a', { input: 100, max: 200 }));
    const next = more(owner, 'a', { charges: [charge(1, 130, 7)], inputTokens: 140, deliveredTokens: 30 });
    const answer = await on.ledger.extend(next);
    // 170 are held, the next call may need 140 + 170.
    expect(answer).toMatchObject({
      granted: true,
      maxOutputTokens: 170,
      capTokens: 200,
      reservedTokens: 310,
    });
    expect(await on.ledger.extend(next)).toMatchObject({ granted: true, reservedTokens: 310 });
    expect(await balanceOf(on, owner)).toMatchObject({
      spentTokens: 130,
      reservedTokens: 310,
      spentMicroUsd: 7,
    });
    await on.ledger.settle(bill(owner, 'a', 400, 20));
    expect(await balanceOf(on, owner)).toMatchObject({
      spentTokens: 400,
      reservedTokens: 0,
      spentMicroUsd: 20,
    });
    const { data } = await on.accounts.entries(owner.tenant, {
      from: '2026-11-24',
      until: '2026-11-24',
      limit: 100,
    });
    expect(data.map(({ kind, attempt, spentTokens }) => [kind, attempt, spentTokens])).toEqual([
      ['reserve', 0, 0],
      ['debit', 1, 130],
      ['extend', 0, 0],
      ['debit', 1, 270],
      ['release', 0, 0],
    ]);
    await expectBalanced(on, owner.tenant);
  });

  test('is refused without room in the budget, and still books the used amounts', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(300));
    await on.ledger.reserve(ask(owner, 'a', { input: 100, max: 200 }));
    expect(
      await on.ledger.extend(more(owner, 'a', { charges: [charge(1, 250)], inputTokens: 100 })),
    ).toMatchObject({ granted: false, remaining: 0, budget: { limit: 300, spent: 250 } });
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 250, reservedTokens: 50 });
  });

  test('clips the next call to what is left', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(400));
    await on.ledger.reserve(ask(owner, 'a', { input: 100, max: 200 }));
    expect(
      await on.ledger.extend(more(owner, 'a', { charges: [charge(1, 250)], inputTokens: 100 })),
    ).toMatchObject({ granted: true, maxOutputTokens: 50, remainingTokens: 0 });
  });

  test('of a generation that is over, or never was, is refused', async () => {
    const owner = newOwner();
    const { ledger } = ledgerOn(bench.clients[0], DAILY(400));
    expect(await ledger.extend(more(owner, 'a'))).toEqual({ granted: false, budget: null, remaining: 0 });
    await ledger.settle(bill(owner, 'a', 0));
    expect(await ledger.extend(more(owner, 'a'))).toEqual({ granted: false, budget: null, remaining: 0 });
  });
});

describe('raise', () => {
  test('raises the cap of a running generation, whole or not at all, and never lowers it', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [
      { window: 'day', amount: 500 },
      { window: 'day', unit: 'micro-usd', amount: 1_000 },
    ]);
    const price = { fixedMicroUsd: 10, outputMicroUsdPerMillion: 1_000_000 };
    const currentCap = () => on.ledger.currentCap(owner.tenant, 'a');
    expect(await currentCap()).toBeNull();
    await on.ledger.reserve(ask(owner, 'a', { input: 100, max: 200, price }));
    expect(await currentCap()).toBe(200);
    expect(await on.ledger.raise({ ...owner, generationId: 'a', maxOutputTokens: 300 })).toMatchObject({
      granted: true,
      capTokens: 300,
      reservedTokens: 400,
      reservedMicroUsd: 310,
    });
    expect(await on.ledger.raise({ ...owner, generationId: 'a', maxOutputTokens: 600 })).toMatchObject({
      granted: false,
      remaining: 100,
    });
    expect(await on.ledger.raise({ ...owner, generationId: 'a', maxOutputTokens: 50 })).toMatchObject({
      granted: true,
      capTokens: 300,
    });
    expect(await currentCap()).toBe(300);
    expect(await on.ledger.extend(more(owner, 'a', { inputTokens: 100 }))).toMatchObject({
      maxOutputTokens: 300,
    });
    await on.ledger.settle(bill(owner, 'a', 350));
    expect(await currentCap()).toBeNull();
    expect(await on.ledger.raise({ ...owner, generationId: 'a', maxOutputTokens: 900 })).toMatchObject({
      granted: false,
      budget: null,
    });
    await expectBalanced(on, owner.tenant);
  });
});

describe('look', () => {
  test('tells whether a reservation would be refused, and reserves nothing', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    const look = (tokens: number) =>
      on.ledger.look(owner, { neededTokens: async () => tokens, isFree: false });
    expect(await look(100)).toBeNull();
    expect(await look(101)).toMatchObject({ granted: false, remaining: 100 });
    expect(await balanceOf(on, owner)).toMatchObject({ reservedTokens: 0 });
  });

  test('refuses nothing that is free for a budget in money, even if more than all of it was spent', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [{ window: 'day', unit: 'micro-usd', amount: 5 }]);
    await on.ledger.settle(bill(owner, 'a', 10, 9));
    const look = (isFree: boolean) => on.ledger.look(owner, { neededTokens: async () => 100, isFree });
    expect(await look(false)).toMatchObject({ granted: false, remaining: 0 });
    expect(await look(true)).toBeNull();
    expect(await on.ledger.reserve(ask(owner, 'b'))).toMatchObject({ granted: true, reservedMicroUsd: 0 });
  });

  test('counts no tokens without a limit', async () => {
    const { ledger } = ledgerOn(bench.clients[0], []);
    const neededTokens = async () => {
      throw new Error('was asked');
    };
    expect(await ledger.look(newOwner(), { neededTokens, isFree: false })).toBeNull();
  });
});

test('without a limit everything is granted and everything is booked', async () => {
  const owner = newOwner();
  const on = ledgerOn(bench.clients[0], []);
  expect(await on.ledger.reserve(ask(owner, 'a', { input: 1_000_000, max: 9_000_000 }))).toMatchObject({
    granted: true,
    reservedTokens: 10_000_000,
    maxOutputTokens: 9_000_000,
    remainingTokens: null,
  });
  await on.ledger.settle(bill(owner, 'a', 5_000_000));
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 5_000_000, reservedTokens: 0, limits: [] });
});

test('every key of a tenant lies on one shard and leaves by itself', async () => {
  const owner = newOwner();
  const on = ledgerOn(bench.clients[0], DAILY(100));
  await on.ledger.reserve(ask(owner, 'a'));
  await on.accounts.limits.set(owner.tenant, limitOf({ window: 'day', amount: 5 }));
  const keys = await bench.clients[0].keys(`*${owner.tenant}}*`);
  expect(keys).toHaveLength(7);
  for (const key of keys) {
    expect(key).toContain(`{${owner.tenant}}`);
    // Who still has a reservation, and what was set, is not forgotten.
    if (key.endsWith(':open') || key.endsWith(':limits')) continue;
    expect(await bench.clients[0].pTTL(key)).toBeGreaterThan(39 * DAY_MS);
  }
});

test('a Redis that forgot the scripts is taught them again', async () => {
  const owner = newOwner();
  const on = ledgerOn(bench.clients[0], DAILY(100));
  await bench.clients[0].scriptFlush();
  await on.ledger.reserve(ask(owner, 'a'));
  await bench.clients[0].scriptFlush();
  await on.ledger.settle(bill(owner, 'a', 10));
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 10, reservedTokens: 0 });
});
