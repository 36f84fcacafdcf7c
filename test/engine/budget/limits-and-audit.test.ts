import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { nameOfBudget } from '../../../contracts/budgets.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { AUDIT } from '../../../engine/budget/audit-script.ts';
import { checkBudgets } from '../../prove/check-budget.ts';
import {
  ask,
  balanceOf,
  bill,
  DAY_MS,
  HOUR_MS,
  type LedgerBench,
  ledgerOn,
  limitOf,
  NOON,
  newOwner,
  startLedgerBench,
  type TestClient,
  type TestLedger,
} from './ledger-bench.ts';

let bench: LedgerBench;
let now = NOON;
const clock = () => now;
const TODAY = `day[UTC]@${Date.UTC(2026, 10, 24)}`;

beforeAll(async () => {
  bench = await startLedgerBench();
});
afterAll(() => bench?.stop());
beforeEach(() => {
  now = NOON;
});

/** A connection that calls `before` ahead of each script. */
function whereScriptsRun(
  client: TestClient,
  before: (sha: string, options: { keys: string[]; arguments: string[] }) => Promise<void>,
): TestClient {
  const evalSha = async (sha: string, options: { keys: string[]; arguments: string[] }) => {
    await before(sha, options);
    return client.evalSha(sha, options);
  };
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = name === 'evalSha' ? evalSha : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('limits', () => {
  test('that are set after a failover has lost a change are known to every process', async () => {
    const owner = newOwner();
    const [first, second] = [ledgerOn(bench.clients[0], []), ledgerOn(bench.clients[1], [])];
    await first.accounts.limits.set(owner.tenant, limitOf({ window: 'day', amount: 100 }));
    const key = REDIS_KEYS.budget(owner.tenant, 'limits');
    const replicated = await bench.clients[0].hGetAll(key);
    await first.accounts.limits.set(owner.tenant, limitOf({ window: 'day', amount: 1_000 }));
    expect(await second.ledger.reserve(ask(owner, 'a', { max: 60 }))).toMatchObject({ maxOutputTokens: 60 });
    await bench.clients[0].hSet(key, replicated);
    await first.accounts.limits.set(owner.tenant, limitOf({ window: 'day', amount: 70 }));
    expect(await second.ledger.reserve(ask(owner, 'b', { max: 60 }))).toMatchObject({ maxOutputTokens: 10 });
  });

  test('that are set go before those of the config, and one for a name before one for all', async () => {
    const owner = newOwner();
    const { ledger, accounts } = ledgerOn(bench.clients[0], [{ window: 'day', amount: 100 }]);
    const granted = async (user: string) => {
      const outcome = await ledger.reserve(ask({ ...owner, user }, `g-${user}-${now++}`, { max: 1_000 }));
      return outcome.granted ? outcome.maxOutputTokens : 0;
    };
    expect(await granted('a')).toBe(100);
    await accounts.limits.set(owner.tenant, limitOf({ window: 'day', amount: 300 }));
    await accounts.limits.set(owner.tenant, limitOf({ id: 'b', window: 'day', amount: 50 }));
    await accounts.limits.set(owner.tenant, limitOf({ id: 'c', window: 'day', amount: null }));
    expect([await granted('a'), await granted('b'), await granted('c')]).toEqual([200, 50, 1_000]);
    expect(
      (await accounts.listLimits(owner.tenant)).map(({ id, amount, source }) => [id, amount, source]),
    ).toEqual([
      ['*', 300, 'set'],
      ['b', 50, 'set'],
      ['c', null, 'set'],
    ]);
    expect(await accounts.limits.remove(owner.tenant, limitOf({ window: 'day', amount: 1 }))).toBe(true);
    expect(await accounts.limits.remove(owner.tenant, limitOf({ window: 'day', amount: 1 }))).toBe(false);
    expect(await granted('d')).toBe(100);
  });

  test('are listed in the order in which a page looks for those behind its cursor', async () => {
    const { tenant } = newOwner();
    const { accounts } = ledgerOn(bench.clients[0], [{ window: 'day', amount: 100 }]);
    for (const id of ['bob', 'Zoe', 'a-b', 'ab']) {
      await accounts.limits.set(tenant, limitOf({ id, window: 'day', amount: 50 }));
    }
    const names = (await accounts.listLimits(tenant)).map(nameOfBudget);
    for (const [at, name] of names.entries()) {
      expect(names.filter((other) => other > name)).toEqual(names.slice(at + 1));
    }
  });

  test('hold in every process from the next reservation on', async () => {
    const owner = newOwner();
    const [here, there] = bench.clients.map((client) => ledgerOn(client, []));
    if (here === undefined || there === undefined) throw new Error('two clients were started');
    expect(await there.ledger.reserve(ask(owner, 'a', { max: 90 }))).toMatchObject({ granted: true });
    await here.accounts.limits.set(owner.tenant, limitOf({ window: 'day', amount: 100 }));
    expect(await there.ledger.reserve(ask(owner, 'b', { max: 90 }))).toMatchObject({ maxOutputTokens: 10 });
  });

  test('of a new kind of window count what was spent before they were set', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [], clock);
    now = NOON - 3 * DAY_MS;
    await on.ledger.settle(bill(owner, 'old', 1_000));
    now = NOON - 2 * HOUR_MS;
    await on.ledger.settle(bill(owner, 'a', 30));
    await on.ledger.reserve(ask(owner, 'b', { max: 20 }));
    now = NOON;
    await on.accounts.limits.set(owner.tenant, limitOf({ window: '24h', amount: 100 }));
    await on.accounts.limits.set(
      owner.tenant,
      limitOf({ window: 'day', amount: 70, timeZone: 'Asia/Tokyo' }),
    );
    expect(await on.ledger.reserve(ask(owner, 'c', { max: 500 }))).toMatchObject({ maxOutputTokens: 20 });
    await on.ledger.settle(bill(owner, 'b', 20));
    expect(await balanceOf(on, owner, '24h')).toMatchObject({ spentTokens: 50, reservedTokens: 20 });
    expect(await balanceOf(on, owner, 'day[Asia/Tokyo]')).toMatchObject({
      spentTokens: 50,
      reservedTokens: 20,
    });
    expect(await on.accounts.audit(owner.tenant, { repair: false })).toMatchObject({ differences: 0 });
  });

  test('that were taken away and set again count what came between', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [], clock);
    const rolling = limitOf({ window: '5h', amount: 100 });
    await on.accounts.limits.set(owner.tenant, rolling);
    await on.ledger.reserve(ask(owner, 'a', { max: 10 }));
    await on.accounts.limits.remove(owner.tenant, rolling);
    await on.ledger.reserve(ask(owner, 'b', { max: 10 }));
    await on.ledger.settle(bill(owner, 'a', 10));
    await on.accounts.limits.set(owner.tenant, rolling);
    await on.ledger.reserve(ask(owner, 'c', { max: 10 }));
    expect(await balanceOf(on, owner, '5h')).toMatchObject({ spentTokens: 10, reservedTokens: 20 });
    expect(await on.accounts.audit(owner.tenant, { repair: false })).toMatchObject({ differences: 0 });
  });
});

describe('processes with different limits, as in a deploy,', () => {
  /** A connection that counts how often entries were summed up for a window that is new. */
  function counting(client: TestClient) {
    const count = { builds: 0 };
    const redis = whereScriptsRun(client, async (sha) => {
      if (sha === AUDIT.sha) count.builds += 1;
    });
    return { redis, count };
  }

  test("keep each other's windows right, and build each once", async () => {
    const owner = newOwner();
    const [older, newer] = bench.clients.map(counting);
    if (older === undefined || newer === undefined) throw new Error('two clients were started');
    const before = ledgerOn(older.redis, [{ window: '5h', amount: 10_000 }], clock);
    const after = ledgerOn(newer.redis, [{ window: '7h', amount: 10_000 }], clock, 'Asia/Tokyo');
    for (let round = 0; round < 10; round += 1) {
      now += 60_000;
      await before.ledger.reserve(ask(owner, `old-${round}`, { max: 10 }));
      await after.ledger.reserve(ask(owner, `new-${round}`, { max: 10 }));
      // Each settles what it has reserved, and some of it when the other's windows have come to be.
      await before.ledger.settle(bill(owner, `old-${round}`, 4));
      await after.ledger.settle(bill(owner, `new-${round}`, 6));
    }
    const whole = { spentTokens: 100, reservedTokens: 0 };
    expect(await balanceOf(before, owner, '5h')).toMatchObject(whole);
    expect(await balanceOf(before, owner, 'day[UTC]')).toMatchObject(whole);
    expect(await balanceOf(after, owner, '7h')).toMatchObject(whole);
    expect(await balanceOf(after, owner, 'day[Asia/Tokyo]')).toMatchObject(whole);
    for (const { accounts } of [before, after]) {
      expect(await accounts.audit(owner.tenant, { repair: false })).toMatchObject({ differences: 0 });
    }
    // One for each subject that has its own windows; audits count too.
    const audits = 2 * 3;
    expect(older.count.builds + newer.count.builds).toBeLessThanOrEqual(3 + audits);
  });

  test('drop a window that none of them has asked for within an hour', async () => {
    const owner = newOwner();
    const key = REDIS_KEYS.budget(owner.tenant, 'subject', 'user', owner.user);
    const before = ledgerOn(bench.clients[0], [{ window: '5h', amount: 10_000 }], clock);
    const after = ledgerOn(bench.clients[1], [], clock);
    const reserve = ({ ledger }: TestLedger) => ledger.reserve(ask(owner, `g-${now}`, { max: 10 }));
    const windows = async () => (await bench.clients[0].hGet(key, 'windows'))?.split(' ') ?? [];
    await reserve(before);
    now += 1;
    await reserve(after);
    now += HOUR_MS - 1;
    await reserve(after);
    expect(await windows()).toContain('5h');
    // A process with the old limits is still there: the hour begins again.
    now += 1;
    await reserve(before);
    now += 1;
    await reserve(after);
    now += HOUR_MS + 1;
    await reserve(after);
    expect(await windows()).toEqual(['day[UTC]', 'month[UTC]']);
    expect(Object.keys(await bench.clients[0].hGetAll(key)).filter((field) => field.includes('5h'))).toEqual(
      [],
    );
    now += 1;
    await reserve(before);
    expect(await balanceOf(before, owner, '5h')).toMatchObject({ reservedTokens: 70 });
    expect(await before.accounts.audit(owner.tenant, { repair: false })).toMatchObject({ differences: 0 });
  });
});

test('a rolling window gives back what left it, and never more', async () => {
  const owner = newOwner();
  const on = ledgerOn(bench.clients[0], [{ window: '24h', amount: 100 }], clock);
  await on.ledger.settle(bill(owner, 'a', 60));
  now += 12 * HOUR_MS;
  await on.ledger.settle(bill(owner, 'b', 40));
  now = NOON + DAY_MS;
  const refused = await on.ledger.reserve(ask(owner, 'c', { max: 50 }));
  expect(refused).toMatchObject({ granted: false, remaining: 0 });
  now = refused.granted ? now : (refused.budget?.resetsAtMs ?? now);
  expect(now - NOON - DAY_MS).toBeLessThanOrEqual(HOUR_MS);
  expect(await on.ledger.reserve(ask(owner, 'd', { max: 100 }))).toMatchObject({ maxOutputTokens: 60 });
});

describe('an audit', () => {
  test('finds what was changed behind the back of the entries, and puts it right', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [], clock);
    await on.ledger.reserve(ask(owner, 'a', { max: 70 }));
    await on.ledger.settle(bill(owner, 'b', 30, 4));
    const key = REDIS_KEYS.budget(owner.tenant, 'subject', 'user', owner.user);
    await bench.clients[0].hSet(key, TODAY, '35 70 4 0');
    await bench.clients[0].del(REDIS_KEYS.budget(owner.tenant, 'subject', 'key', owner.keyId));
    const right = '30 70 4 0';
    const report = await on.accounts.audit(owner.tenant, { repair: false });
    expect(report).toMatchObject({ subjects: 3, entries: 2, differences: 3 });
    expect(report.listed).toContainEqual({
      per: 'user',
      id: 'ann',
      bucket: TODAY,
      stored: '35 70 4 0',
      right,
    });
    expect(report.listed).toContainEqual({
      per: 'key',
      id: 'key_1',
      bucket: TODAY,
      stored: '0 0 0 0',
      right,
    });
    expect(await checkBudgets(bench.clients[0], owner.tenant, [])).toMatchObject({ unbalanced: 1 });
    expect(await on.accounts.audit(owner.tenant, { repair: true })).toMatchObject({ differences: 3 });
    expect(await on.accounts.audit(owner.tenant, { repair: false })).toMatchObject({ differences: 0 });
    expect(await bench.clients[0].hGet(key, TODAY)).toBe(right);
    expect(await checkBudgets(bench.clients[0], owner.tenant, [])).toMatchObject({
      unbalanced: 0,
      leaked: 1,
    });
  });

  test('has each entry read once, not once for each subject, however many come while it runs', async () => {
    const owner = newOwner();
    const [client, other] = bench.clients;
    const on = ledgerOn(client, [], clock);
    const users = Array.from({ length: 40 }, (_, index) => ({ ...owner, user: `user-${index}` }));
    for (const user of users) await on.ledger.settle(bill(user, `first-${user.user}`, 1));
    let scanned = 0;
    let isFirst = true;
    /** As much as the script reads of what came since. */
    const scannedBy = async ({
      keys,
      arguments: [question = ''],
    }: {
      keys: string[];
      arguments: string[];
    }) => {
      const { after, most } = JSON.parse(question);
      const pages = keys.slice(1).map((key, index) => {
        const from = after[index] === '' ? '-' : `(${after[index]}`;
        return other.xRange(key, from, '+', most === undefined ? {} : { COUNT: most + 1 });
      });
      return (await Promise.all(pages)).reduce((sum, page) => sum + (page ?? []).length, 0);
    };
    const redis = whereScriptsRun(client, async (sha, options) => {
      if (sha !== AUDIT.sha) return;
      if (isFirst) {
        isFirst = false;
        const late = users.flatMap((user) => Array.from({ length: 50 }, (_, index) => ({ user, index })));
        await Promise.all(
          late.map(({ user, index }) => on.ledger.settle(bill(user, `late-${user.user}-${index}`, 1))),
        );
      }
      scanned += await scannedBy(options);
    });
    const audit = await ledgerOn(redis, [], clock).accounts.audit(owner.tenant, { repair: false });
    expect(audit).toMatchObject({ subjects: 42, differences: 0 });
    expect(scanned).toBeLessThan(2 * 2_040);
  });

  test('finds no difference while other processes book', async () => {
    const owner = newOwner();
    const on = ledgerOn(bench.clients[0], [{ window: '1h', amount: 1_000_000 }], Date.now);
    const booked = Array.from({ length: 300 }, async (_, index) => {
      await on.ledger.reserve(ask(owner, `g-${index}`, { max: 10 }));
      await on.ledger.settle(bill(owner, `g-${index}`, 5));
    });
    const other = ledgerOn(bench.clients[1], [{ window: '1h', amount: 1_000_000 }], Date.now);
    for (let round = 0; round < 5; round += 1) {
      expect(await other.accounts.audit(owner.tenant, { repair: true })).toMatchObject({ differences: 0 });
    }
    await Promise.all(booked);
    expect(await other.accounts.audit(owner.tenant, { repair: false })).toMatchObject({
      differences: 0,
      entries: 900,
    });
  });
});

test('entries are read in pages, of one generation or one subject', async () => {
  const owner = newOwner();
  const on = ledgerOn(bench.clients[0], [], clock);
  for (const day of [0, 1]) {
    for (const id of ['a', 'b', 'c']) await on.ledger.settle(bill(owner, `${id}-${day}`, 1));
    now += DAY_MS;
  }
  await on.ledger.settle(bill({ ...owner, user: 'bob' }, 'd', 1));
  const days = { from: '2026-11-24', until: '2026-11-26', limit: 2 };
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await on.accounts.entries(owner.tenant, { ...days, after });
    expect(page.data.length).toBeLessThanOrEqual(2);
    seen.push(...page.data.map(({ generation }) => generation));
    after = page.next ?? undefined;
  } while (after !== undefined);
  expect(seen).toEqual(['a-0', 'b-0', 'c-0', 'a-1', 'b-1', 'c-1', 'd']);
  const ofBob = { ...days, subject: { per: 'user', id: 'bob' } } as const;
  expect((await on.accounts.entries(owner.tenant, ofBob)).data).toMatchObject([{ generation: 'd' }]);
  expect((await on.accounts.entries(owner.tenant, { ...days, generation: 'b-1' })).data).toHaveLength(1);
  await expect(on.accounts.entries(owner.tenant, { ...days, after: 'x' })).rejects.toThrow('after');
});

test('the checker of the proof sees a budget that is overspent, a reservation left behind and a wrong sum', async () => {
  const owner = newOwner();
  const on = ledgerOn(bench.clients[0], [], clock);
  await on.ledger.reserve(ask(owner, 'a', { max: 70 }));
  await on.ledger.settle(bill(owner, 'b', 30));
  const limit = { per: 'user', id: '*', window: 'day', unit: 'tokens', amount: 99, timeZone: 'UTC' } as const;
  const check = (amount: number, used: [string, number][] = []) =>
    checkBudgets(bench.clients[0], owner.tenant, [{ ...limit, amount }], new Map(used));
  expect(await check(100, [['b', 30]])).toMatchObject({ overspent: 0, leaked: 1, unbalanced: 0 });
  expect(await check(99, [['b', 31]])).toMatchObject({ overspent: 1, leaked: 1, unbalanced: 1 });
});
