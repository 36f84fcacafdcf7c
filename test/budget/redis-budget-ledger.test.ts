import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import type { BudgetOwner, ReserveOutcome } from '../../budget/ledger.ts';
import { createRedisBudgetLedger, type RedisBudgetLedger } from '../../budget/redis-budget-ledger.ts';
import { findFreePort } from '../../services/ports.ts';
import { findRedisExecutable, type RunningRedis, startRedis } from '../../services/provide-redis.ts';
import { chooseSeed, createRandom } from '../harness/random.ts';

const NOON = Date.UTC(2026, 10, 24, 12);
const DAY = '2026-11-24';
const NEXT_DAY = '2026-11-25';
const DAY_MS = 24 * 3_600_000;
const KEEP_MS = 40 * DAY_MS;

const folder = mkdtempSync(join(tmpdir(), 'unbroken-budget-'));
const errors: unknown[] = [];
const report = (line: string) => {
  errors.push(line);
};
const clientOf = (url: string) => createClient({ url });

let server: RunningRedis | undefined;
let first: ReturnType<typeof clientOf>;
let second: ReturnType<typeof clientOf>;
let owners = 0;

beforeAll(async () => {
  const executable = await findRedisExecutable(report);
  server = await startRedis({ executable, dataDir: folder, port: await findFreePort(), report });
  [first, second] = [clientOf(server.url), clientOf(server.url)];
  for (const client of [first, second]) {
    client.on('error', report);
    await client.connect();
  }
});

afterAll(async () => {
  first?.destroy();
  second?.destroy();
  await server?.process.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Each test has its own user, so that no test sees what another booked. */
function newOwner(): BudgetOwner {
  owners += 1;
  return { tenant: 'acme', user: `user-${owners}` };
}

function ledgerOf(limit: number | null, clock: () => number = () => NOON): RedisBudgetLedger {
  return createRedisBudgetLedger({ redis: first, dailyTokensPerUser: limit, clock });
}

function ask(
  owner: BudgetOwner,
  generationId: string,
  wish: Partial<Record<'input' | 'max' | 'min', number>>,
) {
  return {
    ...owner,
    generationId,
    inputTokens: wish.input ?? 0,
    maxOutputTokens: wish.max ?? 100,
    minOutputTokens: wish.min ?? 1,
  };
}

function bill(owner: BudgetOwner, generationId: string, tokens: number, costMicroUsd = tokens) {
  return { ...owner, generationId, tokens, costMicroUsd, estimated: false };
}

function reservedBy(outcome: ReserveOutcome): number {
  return outcome.granted ? outcome.reservedTokens : 0;
}

describe('reserve', () => {
  test('2,000 concurrent reservations from two clients never cross a small limit', async () => {
    const owner = newOwner();
    const limit = 1_000;
    const ledgers = [first, second].map((redis) =>
      createRedisBudgetLedger({ redis, dailyTokensPerUser: limit, clock: () => NOON }),
    );
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        ledgers.map((ledger, at) =>
          ledger.reserve(ask(owner, `g-${index}-${at}`, { input: 3, max: 14, min: 2 })),
        ),
      ).flat(),
    );
    const granted = outcomes.reduce((sum, outcome) => sum + reservedBy(outcome), 0);
    const balance = await ledgerOf(limit).balance(owner);
    expect(outcomes).toHaveLength(2_000);
    expect(balance.reservedTokens).toBe(granted);
    expect(granted).toBeLessThanOrEqual(limit);
    expect(limit - granted).toBeLessThan(3 + 2);
    expect((await ledgerOf(limit).reconcile(owner, DAY)).equal).toBe(true);
  });

  test('the output is clipped to what is left, and refused where less than the least fits', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    expect(await ledger.reserve(ask(owner, 'a', { input: 10, max: 40 }))).toEqual({
      granted: true,
      reservedTokens: 50,
      maxOutputTokens: 40,
      remainingTokens: 50,
    });
    expect(await ledger.reserve(ask(owner, 'b', { input: 20, max: 40, min: 31 }))).toEqual({
      granted: false,
      limitTokens: 100,
      remainingTokens: 50,
      resetsAtMs: Date.UTC(2026, 10, 25),
    });
    expect(await ledger.reserve(ask(owner, 'c', { input: 20, max: 40, min: 30 }))).toEqual({
      granted: true,
      reservedTokens: 50,
      maxOutputTokens: 30,
      remainingTokens: 0,
    });
  });

  test('asked again, a generation gets its first answer and nothing more is reserved', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    const answer = await ledger.reserve(ask(owner, 'a', { input: 10, max: 200 }));
    expect(await ledger.reserve(ask(owner, 'a', { input: 10, max: 200 }))).toEqual(answer);
    expect((await ledger.balance(owner)).reservedTokens).toBe(100);
  });

  test('one user has no part in the budget of another', async () => {
    const ledger = ledgerOf(100);
    await ledger.reserve(ask(newOwner(), 'a', { max: 100 }));
    expect(await ledger.reserve(ask(newOwner(), 'a', { max: 100 }))).toMatchObject({ granted: true });
  });

  test('a generation that was settled before it was reserved gets nothing that nobody would release', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    await ledger.settle(bill(owner, 'a', 0));
    expect(await ledger.reserve(ask(owner, 'a', {}))).toMatchObject({ granted: false, remainingTokens: 100 });
    expect(await ledger.balance(owner)).toMatchObject({ spentTokens: 0, reservedTokens: 0 });
  });
});

describe('settle', () => {
  test('a generation reserved and settled five times in parallel counts once', async () => {
    const owner = newOwner();
    const ledgers = [0, 1, 2, 3, 4].map((index) =>
      createRedisBudgetLedger({
        redis: index % 2 === 0 ? first : second,
        dailyTokensPerUser: 1_000,
        clock: () => NOON,
      }),
    );
    const answers = await Promise.all(
      ledgers.map((ledger) => ledger.reserve(ask(owner, 'a', { input: 20, max: 80 }))),
    );
    expect(answers.map(reservedBy)).toEqual([100, 100, 100, 100, 100]);
    expect((await ledgerOf(1_000).balance(owner)).reservedTokens).toBe(100);
    await Promise.all(ledgers.map((ledger) => ledger.settle(bill(owner, 'a', 60, 7))));
    expect(await ledgerOf(1_000).balance(owner)).toEqual({
      day: DAY,
      limitTokens: 1_000,
      spentTokens: 60,
      reservedTokens: 0,
      spentMicroUsd: 7,
      resetsAtMs: Date.UTC(2026, 10, 25),
    });
    expect((await ledgerOf(1_000).reconcile(owner, DAY)).equal).toBe(true);
  });

  test('a settlement after midnight is booked on the day of the reservation', async () => {
    const owner = newOwner();
    let now = NOON;
    const ledger = ledgerOf(100, () => now);
    const answer = await ledger.reserve(ask(owner, 'a', { max: 80 }));
    now += DAY_MS;
    expect(await ledger.reserve(ask(owner, 'a', { max: 80 }))).toEqual(answer);
    await ledger.settle(bill(owner, 'a', 30));
    await ledger.settle(bill(owner, 'a', 30));
    expect(await ledger.balance(owner)).toMatchObject({ day: NEXT_DAY, spentTokens: 0, reservedTokens: 0 });
    expect(await ledger.reconcile(owner, DAY)).toEqual({
      balance: { spentTokens: 30, reservedTokens: 0, spentMicroUsd: 30 },
      recomputed: { spentTokens: 30, reservedTokens: 0, spentMicroUsd: 30 },
      equal: true,
    });
  });

  test('what was used without a reservation is booked on today, once', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    await ledger.settle(bill(owner, 'a', 30));
    await ledger.settle(bill(owner, 'a', 30));
    expect(await ledger.balance(owner)).toMatchObject({ spentTokens: 30, reservedTokens: 0 });
    expect((await ledger.reconcile(owner, DAY)).equal).toBe(true);
  });

  test('zero tokens only release the reservation', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    await ledger.reserve(ask(owner, 'a', { max: 100 }));
    await ledger.settle(bill(owner, 'a', 0));
    expect(await ledger.balance(owner)).toMatchObject({ spentTokens: 0, reservedTokens: 0 });
    expect(await ledger.reserve(ask(owner, 'b', { max: 100 }))).toMatchObject({ reservedTokens: 100 });
  });

  test('a count that is not whole is refused before anything is written', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    await ledger.reserve(ask(owner, 'a', { max: 100 }));
    await expect(ledger.settle(bill(owner, 'a', 1.5))).rejects.toThrow(RangeError);
    await expect(ledger.settle(bill(owner, 'a', 1, -1))).rejects.toThrow(RangeError);
    expect(await ledger.balance(owner)).toMatchObject({ spentTokens: 0, reservedTokens: 100 });
  });
});

describe('the books', () => {
  test('without a limit everything is granted and everything is booked', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(null);
    expect(await ledger.reserve(ask(owner, 'a', { input: 1_000_000, max: 9_000_000 }))).toEqual({
      granted: true,
      reservedTokens: 10_000_000,
      maxOutputTokens: 9_000_000,
      remainingTokens: null,
    });
    await ledger.settle(bill(owner, 'a', 5_000_000));
    expect(await ledger.balance(owner)).toMatchObject({
      limitTokens: null,
      spentTokens: 5_000_000,
      reservedTokens: 0,
    });
  });

  test('after any sequence of steps the sum of the entries is the balance and the limit holds', async () => {
    const seed = chooseSeed();
    const random = createRandom(seed);
    const owner = newOwner();
    const limit = 5_000;
    let now = NOON;
    const ledger = ledgerOf(limit, () => now);
    const granted = new Map<string, number>();
    for (let step = 0; step < 400; step += 1) {
      const id = `g-${random.between(1, 120)}`;
      if (random.between(1, 3) === 1) {
        await ledger.settle(bill(owner, id, random.between(0, granted.get(id) ?? 0)));
      } else {
        const wish = { input: random.between(0, 50), max: random.between(1, 300) };
        const outcome = await ledger.reserve(ask(owner, id, wish));
        if (outcome.granted) granted.set(id, outcome.reservedTokens);
      }
      if (step === 200) now += DAY_MS;
      const balance = await ledger.balance(owner);
      const context = { seed, step, ...balance };
      expect({ ...context, within: balance.spentTokens + balance.reservedTokens <= limit }).toEqual({
        ...context,
        within: true,
      });
    }
    for (const day of [DAY, NEXT_DAY]) {
      expect({ seed, ...(await ledger.reconcile(owner, day)) }).toMatchObject({ seed, equal: true });
    }
    for (const id of granted.keys()) await ledger.settle(bill(owner, id, 0));
    for (const day of [DAY, NEXT_DAY]) {
      const { balance, equal } = await ledger.reconcile(owner, day);
      expect({ seed, reservedTokens: balance.reservedTokens, equal }).toEqual({
        seed,
        reservedTokens: 0,
        equal: true,
      });
    }
  });

  test('a change behind the back of the entries is found', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(100);
    await ledger.settle(bill(owner, 'a', 30));
    const keys = await first.keys(`ub:budget:{acme:${owner.user}}:${DAY}`);
    await first.hIncrBy(keys[0] ?? '', 'spentTokens', 5);
    expect(await ledger.reconcile(owner, DAY)).toMatchObject({
      balance: { spentTokens: 35 },
      recomputed: { spentTokens: 30 },
      equal: false,
    });
  });

  test('every key of an owner lies on one shard and leaves by itself after 40 days', async () => {
    const owner = newOwner();
    await ledgerOf(100).reserve(ask(owner, 'a', {}));
    const keys = await first.keys(`*${owner.user}}*`);
    expect(keys).toHaveLength(3);
    for (const key of keys) {
      expect(key).toContain(`{acme:${owner.user}}`);
      const leftMs = await first.pTTL(key);
      expect(leftMs).toBeGreaterThan(KEEP_MS - 60_000);
      expect(leftMs).toBeLessThanOrEqual(KEEP_MS);
    }
  });

  test('a Redis that forgot the scripts is taught them again', async () => {
    const owner = newOwner();
    await first.scriptFlush();
    await ledgerOf(100).reserve(ask(owner, 'a', {}));
    await first.scriptFlush();
    await ledgerOf(100).settle(bill(owner, 'a', 10));
    expect(await ledgerOf(100).balance(owner)).toMatchObject({ spentTokens: 10, reservedTokens: 0 });
  });
});
