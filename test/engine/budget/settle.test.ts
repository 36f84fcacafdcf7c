import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ask,
  balanceOf,
  bill,
  DAILY,
  DAY_MS,
  expectBalanced,
  type LedgerBench,
  ledgerOn,
  MIDNIGHT,
  NOON,
  newOwner,
  reservedBy,
  startLedgerBench,
} from './ledger-bench.ts';

let bench: LedgerBench;
beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());

describe('settle', () => {
  test('a generation reserved and settled five times in parallel counts once', async () => {
    const owner = newOwner();
    const ons = [0, 1, 0, 1, 0].map((index) => ledgerOn(bench.clients[index === 0 ? 0 : 1], DAILY(1_000)));
    const answers = await Promise.all(
      ons.map(({ ledger }) => ledger.reserve(ask(owner, 'a', { input: 20, max: 80 }))),
    );
    expect(answers.map(reservedBy)).toEqual([100, 100, 100, 100, 100]);
    await Promise.all(ons.map(({ ledger }) => ledger.settle(bill(owner, 'a', 60, 7))));
    const on = ledgerOn(bench.clients[0], DAILY(1_000));
    expect(await balanceOf(on, owner)).toMatchObject({
      window: 'day[UTC]',
      resetsAtMs: MIDNIGHT,
      spentTokens: 60,
      reservedTokens: 0,
      spentMicroUsd: 7,
      limits: [{ limit: 1_000, spent: 60, remaining: 940 }],
    });
    expect(await on.accounts.open(owner.tenant)).toEqual([]);
    await expectBalanced(on, owner.tenant);
  });

  test('a settlement after midnight is booked on the day of the reservation', async () => {
    const owner = newOwner();
    let now = NOON;
    const on = ledgerOn(bench.clients[0], DAILY(100), () => now);
    const answer = await on.ledger.reserve(ask(owner, 'a', { max: 80 }));
    now += DAY_MS;
    expect(reservedBy(await on.ledger.reserve(ask(owner, 'a', { max: 80 })))).toBe(reservedBy(answer));
    await on.ledger.settle(bill(owner, 'a', 30));
    await on.ledger.settle(bill(owner, 'a', 30));
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 0, reservedTokens: 0 });
    expect(await balanceOf(on, owner, 'month')).toMatchObject({ spentTokens: 30, reservedTokens: 0 });
    now = NOON;
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 30, reservedTokens: 0 });
    await expectBalanced(on, owner.tenant);
  });

  test('a reservation of weeks ago is settled, once, whatever the window', async () => {
    const owner = newOwner();
    let now = NOON;
    const on = ledgerOn(bench.clients[0], [{ window: '1h', amount: 100 }], () => now);
    await on.ledger.reserve(ask(owner, 'a', { max: 80 }));
    now += 30 * DAY_MS;
    await on.ledger.settle(bill(owner, 'a', 30));
    await on.ledger.settle(bill(owner, 'a', 30));
    expect(await on.accounts.open(owner.tenant)).toEqual([]);
    now = NOON;
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 30, reservedTokens: 0 });
    await expectBalanced(on, owner.tenant);
  });

  test('what was used without a reservation is booked, once', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    await on.ledger.settle(bill(owner, 'a', 30));
    await on.ledger.settle(bill(owner, 'a', 30));
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 30, reservedTokens: 0 });
    await expectBalanced(on, owner.tenant);
  });

  test('what a provider bills beyond the reservation is booked as it billed', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    await on.ledger.reserve(ask(owner, 'a', { max: 100 }));
    await on.ledger.settle(bill(owner, 'a', 120));
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 120, reservedTokens: 0 });
    expect(await on.ledger.reserve(ask(owner, 'b'))).toMatchObject({ granted: false, remaining: 0 });
    await expectBalanced(on, owner.tenant);
  });

  test('zero tokens only release the reservation', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    await on.ledger.reserve(ask(owner, 'a', { max: 100 }));
    await on.ledger.settle(bill(owner, 'a', 0));
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 0, reservedTokens: 0 });
    expect(await on.ledger.reserve(ask(owner, 'b', { max: 100 }))).toMatchObject({ reservedTokens: 100 });
  });

  test('a count that is not whole is refused before anything is written', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], DAILY(100));
    await on.ledger.reserve(ask(owner, 'a', { max: 100 }));
    await expect(on.ledger.settle(bill(owner, 'a', 1.5))).rejects.toThrow(RangeError);
    await expect(on.ledger.settle(bill(owner, 'a', 1, -1))).rejects.toThrow(RangeError);
    expect(await balanceOf(on, owner)).toMatchObject({ spentTokens: 0, reservedTokens: 100 });
  });
});

describe('a warning', () => {
  test('is given by the settlement that crosses 80 %, once, and again when the amount is reached', async () => {
    const owner = newOwner();
    let now = NOON;
    const { ledger } = ledgerOn(bench.clients[0], DAILY(100), () => now);
    const spend = async (id: string, tokens: number) => {
      const reserved = await ledger.reserve(ask(owner, id, { max: tokens }));
      const settled = await ledger.settle(bill(owner, id, tokens));
      return { reserved, settled, repeated: await ledger.settle(bill(owner, id, tokens)) };
    };
    expect((await spend('a', 79)).settled.warnings).toEqual([]);
    const crossing = await spend('b', 1);
    expect(crossing.settled.warnings).toEqual([
      {
        warningId: expect.stringMatching(/^warn_[0-9a-f]{32}$/),
        tenant: owner.tenant,
        per: 'user',
        id: 'ann',
        window: 'day',
        unit: 'tokens',
        limit: 100,
        spent: 80,
        level: 'near',
        mode: 'hard',
        generationId: 'b',
        resetsAtMs: MIDNIGHT,
        atMs: NOON,
      },
    ]);
    expect(crossing.repeated).toEqual(crossing.settled);
    const after = await spend('c', 5);
    expect(after.reserved).toMatchObject({ warnings: [{ per: 'user', limit: 100, spent: 80 }] });
    expect(after.settled.warnings).toEqual([]);
    expect((await spend('d', 15)).settled.warnings).toMatchObject([{ level: 'reached', spent: 100 }]);
    now += DAY_MS;
    expect((await spend('e', 90)).settled.warnings).toMatchObject([{ level: 'near', spent: 90 }]);
  });
});
