import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkBudgets } from '../../prove/check-budget.ts';
import {
  ask,
  balanceOf,
  bill,
  charge,
  expectBalanced,
  HOUR_MS,
  type LedgerBench,
  ledgerOn,
  more,
  NOON,
  newOwner,
  startLedgerBench,
} from './ledger-bench.ts';

let bench: LedgerBench;
beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());

test('a generation that has the id of an earlier one reserves and pays for itself, though that one was never settled', async () => {
  const owner = newOwner();
  let nowMs = NOON;
  const on = ledgerOn(bench.clients[0], [{ window: 'day', amount: 1_000 }], () => nowMs);
  await on.ledger.reserve(ask(owner, 'a', { input: 100, max: 200 }));
  // Its run was ended by hand after two attempts.
  const charges = [charge(1, 50), charge(2, 50)];
  await on.ledger.extend(more(owner, 'a', { charges, inputTokens: 100 }));
  nowMs += 3 * HOUR_MS;
  const again = { ...ask(owner, 'a', { input: 10, max: 60 }), againSinceMs: nowMs };
  const granted = { granted: true, reservedTokens: 70, maxOutputTokens: 60 };
  expect(await on.ledger.reserve(again)).toMatchObject(granted);
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 100, reservedTokens: 70 });
  // Asked again, it is the same reservation, also by a clock that is somewhat behind.
  nowMs -= 1_000;
  expect(await on.ledger.reserve(again)).toMatchObject(granted);
  await on.ledger.extend(more(owner, 'a', { charges: [charge(1, 65)], inputTokens: 10 }));
  await on.ledger.settle(bill(owner, 'a', 65 + 70));
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 100 + 65 + 70, reservedTokens: 0 });
  // The statistics know both generations, and add nothing of the first to the second.
  const { unbalanced } = await checkBudgets(bench.clients[0], owner.tenant, []);
  expect(unbalanced).toBe(0);
});

test('a generation that has the id of a settled one is booked though it reserved nothing, and once', async () => {
  const owner = newOwner();
  let nowMs = NOON;
  const on = ledgerOn(bench.clients[0], [{ window: 'day', amount: 1_000 }], () => nowMs);
  await on.ledger.reserve(ask(owner, 'a', { input: 100, max: 200 }));
  await on.ledger.extend(more(owner, 'a', { charges: [charge(1, 50)], inputTokens: 100 }));
  await on.ledger.settle(bill(owner, 'a', 900));
  nowMs += 3 * HOUR_MS;
  // It was refused, as the budget had nothing left; the look-up in the cache had asked a judge.
  const again = { ...bill(owner, 'a', 7), againSinceMs: nowMs };
  const [first, second] = await Promise.all([on.ledger.settle(again), on.ledger.settle(again)]);
  expect(second).toEqual(first);
  // Also by a clock that is somewhat behind; and by a late step of the earlier one.
  nowMs -= 1_000;
  await on.ledger.settle(again);
  await on.ledger.settle(bill(owner, 'a', 900));
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 907, reservedTokens: 0 });
  const { unbalanced } = await checkBudgets(bench.clients[0], owner.tenant, []);
  expect(unbalanced).toBe(0);
  await expectBalanced(on, owner.tenant);
});

test('a settlement by a worker whose clock is behind that of the log is booked once', async () => {
  const owner = newOwner();
  const nowMs = NOON;
  const on = ledgerOn(bench.clients[0], [{ window: 'day', amount: 1_000 }], () => nowMs);
  const settlement = { ...bill(owner, 'a', 7), againSinceMs: nowMs + 1_000 };
  for (let time = 1; time <= 3; time += 1) await on.ledger.settle(settlement);
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 7 });
});

test('a generation that has the id of a settled one is booked on its own day', async () => {
  const owner = newOwner();
  let nowMs = NOON;
  const on = ledgerOn(bench.clients[0], [{ window: 'day', amount: 1_000 }], () => nowMs);
  await on.ledger.settle(bill(owner, 'a', 900));
  nowMs += 24 * HOUR_MS;
  await on.ledger.settle({ ...bill(owner, 'a', 7), againSinceMs: nowMs });
  expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 7 });
  expect(await balanceOf(on, owner, 'month')).toMatchObject({ spentTokens: 907 });
});
