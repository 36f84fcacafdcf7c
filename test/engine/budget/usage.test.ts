import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AttemptCharge, BudgetOwner } from '../../../contracts/budgets.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { addUsage, type MicroUsd, NO_USAGE, type Usage } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { type UsageSums, usageSumsSchema } from '../../../contracts/usage.ts';
import type { BudgetLedger, CountedGeneration } from '../../../engine/budget/ledger.ts';
import { type UsageQuery, UsageReports } from '../../../engine/budget/usage-reports.ts';
import { checkBudgets } from '../../prove/check-budget.ts';
import {
  ask,
  bill,
  COMPLETED,
  DAY_MS,
  HOUR_MS,
  type LedgerBench,
  ledgerOn,
  more,
  NOON,
  newOwner,
  startLedgerBench,
} from './ledger-bench.ts';

let bench: LedgerBench;
let reports: UsageReports;
beforeAll(async () => {
  bench = await startLedgerBench();
  reports = new UsageReports(bench.clients[1]);
});
afterAll(() => bench?.stop());

const usageOf = (fields: Partial<Usage>): Usage => ({ ...NO_USAGE, ...fields });

function queryOf(fields: Partial<UsageQuery> = {}): UsageQuery {
  return {
    from: '2026-11-24',
    until: '2026-11-24',
    each: 'day',
    by: null,
    only: {},
    limit: 20,
    skip: 0,
    ...fields,
  };
}

const report = (owner: BudgetOwner, fields: Partial<UsageQuery> = {}) =>
  reports.usage(owner.tenant, queryOf(fields));

async function expectLedgerSums(owner: BudgetOwner): Promise<void> {
  expect(await checkBudgets(bench.clients[0], owner.tenant, [])).toMatchObject({
    unbalanced: 0,
    examples: [],
  });
}

interface Ended {
  readonly usage?: Partial<Usage>;
  readonly costMicroUsd?: MicroUsd;
  readonly counted?: Partial<CountedGeneration>;
  readonly model?: string;
  readonly prompt?: string;
}

/** A generation that reserves and ends with one call. */
async function generate(owner: BudgetOwner, id: string, { usage, counted, ...facts }: Ended): Promise<void> {
  const { ledger } = ledgerOn(bench.clients[0], []);
  await ledger.reserve(ask(owner, id, { input: 10, max: 100 }));
  const settlement = {
    ...bill(owner, id, 0),
    ...facts,
    usage: usageOf({ inputTokens: 3, outputTokens: 4, ...usage }),
    counted: { ...COMPLETED, ...counted },
  };
  await ledger.settle(settlement);
  await ledger.settle(settlement);
}

describe('usage', () => {
  test('is summed by day, user, team, key, model and prompt version, and counts a repeated settlement once', async () => {
    const owner = newOwner();
    const bob = { ...owner, user: 'bob', team: null, keyId: 'key_2' };
    const parts = { cachedInputTokens: 5, cacheWriteTokens: 6, reasoningTokens: 7 };
    await generate(owner, 'a', { usage: parts, costMicroUsd: 30, prompt: 'support@1' });
    await generate(owner, 'b', { costMicroUsd: 20, prompt: 'support@2' });
    await generate(bob, 'c', { costMicroUsd: 100, model: 'large', counted: { status: 'cancelled' } });
    const sums = { generations: 3, completed: 2, cancelled: 1, failed: 0, costMicroUsd: 150, tokens: 39 };
    const { totals, series, groups } = await report(owner, { by: 'model' });
    expect(totals).toMatchObject({ ...sums, inputTokens: 9, outputTokens: 12, ...parts });
    expect(series).toEqual([{ at: Date.parse('2026-11-24'), ...totals }]);
    expect(groups).toMatchObject([
      { name: 'p/large', costMicroUsd: 100, generations: 1, series: [{ tokens: 7 }] },
      { name: 'p/m', costMicroUsd: 50, generations: 2, series: [{ tokens: 32 }] },
    ]);
    const names = async (by: UsageQuery['by']) =>
      (await report(owner, { by })).groups.map(({ name, costMicroUsd }) => [name, costMicroUsd]);
    expect(await names('user')).toEqual([
      ['bob', 100],
      ['ann', 50],
    ]);
    expect(await names('team')).toEqual([
      [null, 100],
      ['red', 50],
    ]);
    expect(await names('key')).toEqual([
      ['key_2', 100],
      ['key_1', 50],
    ]);
    expect(await names('prompt')).toEqual([
      [null, 100],
      ['support@1', 30],
      ['support@2', 20],
    ]);
    const cost = async (only: UsageQuery['only']) => (await report(owner, { only })).totals.costMicroUsd;
    expect(await cost({ user: 'ann', prompt: 'support@2' })).toBe(20);
    expect(await cost({ prompt: 'support' })).toBe(50);
    expect(await cost({ model: 'p/large', key: 'key_1' })).toBe(0);
    expect(await cost({ team: 'red' })).toBe(50);
    const hours = await report(owner, { each: 'hour', by: 'model' });
    expect(hours.totals).toEqual(totals);
    expect(hours.series).toHaveLength(24);
    expect(hours.series[12]).toEqual({ at: NOON, ...totals });
    await expectLedgerSums(owner);
  });

  test('of another tenant is not in a report', async () => {
    const owner = newOwner();
    await generate(owner, 'a', { costMicroUsd: 30 });
    const other = { ...owner, tenant: `${owner.tenant}-other` };
    expect((await report(other, { by: 'user' })).totals.generations).toBe(0);
    expect((await reports.failures(other.tenant, queryOf())).data).toEqual([]);
  });

  test('of a reservation that older code has booked attempts for is added at its end', async () => {
    const owner = newOwner();
    const ledger = ledgerOf(0, NOON);
    await ledger.reserve(ask(owner, 'a', { max: 60 }));
    const usage = usageOf({ inputTokens: 5, outputTokens: 6 });
    const charges = [{ attempt: 1, provider: 'p', model: 'm', usage, costMicroUsd: 8 }];
    await ledger.extend(more(owner, 'a', { charges }));
    await bench.clients[0].hDel(REDIS_KEYS.budget(owner.tenant, 'reservation', 'a'), 'added');
    for (const part of ['day', 'users', 'hours']) {
      await bench.clients[0].del(REDIS_KEYS.budget(owner.tenant, 'usage', part, '2026-11-24'));
    }
    // The run ends with less than is booked, such as when its log is lost.
    await ledger.settle({ ...bill(owner, 'a', 0), usage: NO_USAGE, costMicroUsd: 0 });
    expect((await report(owner)).totals).toMatchObject({ generations: 1, tokens: 11, costMicroUsd: 8 });
    await expectLedgerSums(owner);
  });

  test('of a user is not that of a team with the same name', async () => {
    const owner = newOwner({ team: 'ann', user: 'bob' });
    await generate(owner, 'a', { costMicroUsd: 30 });
    expect((await report(owner, { only: { user: 'ann' } })).totals.costMicroUsd).toBe(0);
    expect((await report(owner, { only: { team: 'ann' } })).totals.costMicroUsd).toBe(30);
  });

  test('counts what stored answers and shared calls have saved', async () => {
    const owner = newOwner();
    const saved = { tokens: 50, costMicroUsd: 9 };
    await generate(owner, 'a', {
      usage: { inputTokens: 0, outputTokens: 0 },
      costMicroUsd: 0,
      counted: { isCached: true, saved },
    });
    await generate(owner, 'b', { costMicroUsd: 5, counted: { saved } });
    expect((await report(owner)).totals).toMatchObject({
      generations: 2,
      cacheHits: 1,
      savedTokens: 100,
      savedMicroUsd: 18,
      costMicroUsd: 5,
    });
  });

  test('has first-token and total latencies by model as quantiles, and failures by provider and code', async () => {
    const owner = newOwner();
    const failures = [{ provider: 'p', model: 'm', code: 'provider_rate_limited' }];
    for (let at = 1; at <= 20; at += 1) {
      await generate(owner, `g${at}`, { counted: { firstTokenMs: at * 10, totalMs: at * 100, failures } });
    }
    const ended = { provider: null, model: null, code: 'budget_exceeded' };
    const unknown = { status: 'failed', firstTokenMs: null, totalMs: null, failures: [ended] } as const;
    await generate(owner, 'failed', { model: 'large', counted: unknown });
    for (const each of ['day', 'hour'] as const) {
      const latencies = await reports.latencies(owner.tenant, queryOf({ each }), undefined);
      expect(latencies.totals.answers).toBe(20);
      expect(latencies.models.map(({ name, answers }) => [name, answers])).toEqual([['p/m', 20]]);
      expect(Math.abs((latencies.totals.firstTokenMs?.p50 ?? 0) - 100)).toBeLessThanOrEqual(3);
      expect(Math.abs((latencies.totals.totalMs?.p99 ?? 0) - 2_000)).toBeLessThanOrEqual(50);
      expect((await reports.failures(owner.tenant, queryOf({ each }))).data).toMatchObject([
        { provider: 'p', model: 'm', code: 'provider_rate_limited', count: 20, series: [{ count: 20 }] },
        { provider: null, model: null, code: 'budget_exceeded', count: 1 },
      ]);
    }
    expect((await reports.latencies(owner.tenant, queryOf(), 'p/other')).totals.totalMs).toBeNull();
  });

  test('of a settlement without a model is booked under the last model that was called', async () => {
    const owner = newOwner();
    const { ledger } = ledgerOn(bench.clients[0], []);
    const failed = { ...COMPLETED, status: 'failed' as const, lastCalled: { provider: 'p', model: 'last' } };
    await ledger.settle({
      ...bill(owner, 'a', 5),
      provider: null,
      model: null,
      counted: Promise.resolve(failed),
    });
    expect((await report(owner, { by: 'model' })).groups).toMatchObject([
      { name: 'p/last', tokens: 5, failed: 1 },
    ]);
    await expectLedgerSums(owner);
  });

  test('of a user who names many others fills no more rows than a day may have, and loses nothing', async () => {
    const owner = newOwner();
    const { ledger } = ledgerOn(bench.clients[0], []);
    const key = REDIS_KEYS.budget(owner.tenant, 'usage', 'users', '2026-11-24');
    const many = Array.from({ length: LIMITS.usageUserRowsPerDay - 1 }, (_, at) => [
      ['s', '', 'p/m', '', `user${at}`, 'key_1'].join('\t'),
      '1',
    ]);
    await bench.clients[0].hSet(key, Object.fromEntries(many));
    for (const user of ['last', 'beyond', 'further', 'last']) {
      const named = { ...owner, user };
      await ledger.settle({ ...bill(named, `${user}-${Math.random()}`, 10), counted: COMPLETED });
    }
    expect(await bench.clients[0].hLen(key)).toBe(LIMITS.usageUserRowsPerDay + 1);
    const groups = (await report(owner, { by: 'user', limit: 3 })).groups;
    const counted = new Map(groups.map(({ name, tokens }) => [name, tokens]));
    expect([counted.get('last'), counted.get('(other)')]).toEqual([20, 20]);
    const expires = await bench.clients[0].pExpireTime(key);
    expect(expires).toBe(Date.parse('2026-11-25') + 400 * DAY_MS);
  });

  test('comes in pages of groups, the dearest first', async () => {
    const owner = newOwner();
    for (const [at, user] of ['a', 'b', 'c'].entries()) {
      await generate({ ...owner, user }, user, { costMicroUsd: at + 1 });
    }
    const first = await report(owner, { by: 'user', limit: 2 });
    expect(first.groups.map(({ name }) => name)).toEqual(['c', 'b']);
    const second = await report(owner, { by: 'user', limit: 2, skip: Number(first.next) });
    expect(second).toMatchObject({ groups: [{ name: 'a' }], next: null });
    expect(second.totals).toEqual(first.totals);
  });
});

const partsOf = fc.record({
  inputTokens: fc.nat({ max: 50 }),
  cachedInputTokens: fc.nat({ max: 50 }),
  cacheWriteTokens: fc.nat({ max: 50 }),
  outputTokens: fc.nat({ max: 50 }),
  reasoningTokens: fc.nat({ max: 50 }),
});
const used = fc.record({
  model: fc.constantFrom('small', 'large'),
  parts: partsOf,
  costMicroUsd: fc.nat({ max: 900 }),
});

/** One generation: its calls, and how its process and its provider behave. */
const histories = fc.array(
  fc.record({
    user: fc.constantFrom('ann', 'bob'),
    prompt: fc.option(fc.constantFrom('a@1', 'a@2'), { nil: undefined }),
    calls: fc.array(used, { maxLength: 4 }),
    /** A crash before the reply: the step is repeated, also at once by two processes. */
    repeats: fc.boolean(),
    hours: fc.nat({ max: 30 }),
    isReserved: fc.boolean(),
    /** What the provider reports at last, where it differs from the sum of what was booked. */
    corrected: fc.option(fc.record({ parts: partsOf, costMicroUsd: fc.nat({ max: 900 }) }), {
      nil: null,
      freq: 3,
    }),
    ends: fc.constantFrom('settled', 'abandoned', 'never'),
    status: fc.constantFrom('completed' as const, 'failed' as const, 'cancelled' as const),
  }),
  { minLength: 1, maxLength: 8 },
);
type Planned = typeof histories extends fc.Arbitrary<(infer One)[]> ? One : never;

function ledgerOf(client: 0 | 1, nowMs: number): BudgetLedger {
  return ledgerOn(bench.clients[client], [{ window: 'day', amount: 90 }], () => nowMs).ledger;
}

/** @returns whether the generation was settled. */
async function play(planned: Planned, owner: BudgetOwner, id: string, nowMs: number): Promise<boolean> {
  const { calls, repeats, prompt, corrected, status, ends } = planned;
  const [on, elsewhere] = [ledgerOf(0, nowMs), ledgerOf(1, nowMs)];
  const twice = async (step: (ledger: BudgetLedger) => Promise<unknown>) => {
    await Promise.all((repeats ? [on, elsewhere] : [on]).map(step));
    if (repeats) await step(elsewhere);
  };
  let isReserved = false;
  if (planned.isReserved) {
    await twice(async (ledger) => {
      isReserved = (await ledger.reserve(ask(owner, id, { max: 60 }))).granted;
    });
  }
  const charges: AttemptCharge[] = calls.map(({ model, parts, costMicroUsd }, at) => {
    return { attempt: at + 1, provider: 'p', model, usage: usageOf(parts), costMicroUsd };
  });
  for (let done = 1; done < charges.length; done += 1) {
    await twice((ledger) => ledger.extend(more(owner, id, { charges: charges.slice(0, done), prompt })));
  }
  if (ends === 'never') return false;
  if (ends === 'abandoned') {
    const again = { ...ask(owner, id, { max: 1 }), againSinceMs: nowMs + HOUR_MS };
    await on.reserve(again);
    // Without a reservation it has left nothing that could be settled.
    return isReserved;
  }
  const usage = charges.reduce<Usage>((sum, charge) => addUsage(sum, charge.usage), NO_USAGE);
  const costMicroUsd = charges.reduce((sum, charge) => sum + charge.costMicroUsd, 0);
  const end =
    corrected === null
      ? { usage, costMicroUsd }
      : { usage: usageOf(corrected.parts), costMicroUsd: corrected.costMicroUsd };
  const settlement = {
    ...bill(owner, id, 0),
    ...end,
    prompt,
    attempt: calls.length,
    counted: { ...COMPLETED, status },
  };
  await twice((ledger) => ledger.settle(settlement));
  // A correction that comes after the settlement changes nothing, neither here nor in the ledger.
  await on.settle({ ...settlement, usage: usageOf({ inputTokens: 999 }), costMicroUsd: 999 });
  return true;
}

test('in any history of repeated, lost, corrected and abandoned steps the sums of usage are those of the ledger', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const owner = newOwner();
      let nowMs = NOON;
      let settled = 0;
      for (const [at, planned] of history.entries()) {
        if (await play(planned, { ...owner, user: planned.user }, `g${at}`, nowMs)) settled += 1;
        nowMs += planned.hours * HOUR_MS;
      }
      await expectLedgerSumsAfter(owner);
      const period = { from: '2026-11-24', until: '2026-12-31' };
      const views = await Promise.all(
        (['user', 'team', 'key', 'model', 'prompt'] as const).map((by) =>
          report(owner, { ...period, by, limit: 200 }),
        ),
      );
      for (const { totals, series, groups } of views) {
        expect(totals).toEqual(views[0]?.totals);
        expect(sumOf(series, totals)).toEqual(totals);
        expect(sumOf(groups, totals)).toEqual(totals);
      }
      const { generations = 0, completed = 0, failed = 0, cancelled = 0 } = views[0]?.totals ?? {};
      expect(generations).toBe(settled);
      expect(completed + failed + cancelled).toBe(generations);
    }),
    { numRuns: 60 },
  );
});

async function expectLedgerSumsAfter(owner: BudgetOwner): Promise<void> {
  const { unbalanced, examples } = await checkBudgets(bench.clients[0], owner.tenant, []);
  expect({ unbalanced, wrong: examples.filter((fault) => fault.includes('entries are')) }).toEqual({
    unbalanced: 0,
    wrong: [],
  });
}

function sumOf(rows: readonly UsageSums[], like: UsageSums): UsageSums {
  const sums = { ...like };
  for (const name of usageSumsSchema.keyof().options) {
    sums[name] = rows.reduce((sum, row) => sum + row[name], 0);
  }
  return sums;
}
