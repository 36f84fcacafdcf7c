import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { createObjectCodec } from '../../../engine/archive/archived-object.ts';
import { LedgerArchive } from '../../../engine/archive/ledger-archive.ts';
import { BudgetAccounts } from '../../../engine/budget/budget-accounts.ts';
import type { ArchivedDays, BudgetEntry } from '../../../engine/budget/entries.ts';
import { UNKNOWN_END } from '../../../engine/budget/ledger.ts';
import { RedisBudgetLedger } from '../../../engine/budget/redis-budget-ledger.ts';
import { withMethods } from '../../../platform/with-methods.ts';
import { ArchiveStand } from './archive-stand.ts';
import { MortalProcess } from './mortal-process.ts';

const DAY_MS = 24 * 3_600_000;
const KEEP_DAYS = 100;
/** Entries: reserved, booked, released. */
const PER_GENERATION = 3;
const OLD_MS = Date.now() - 70 * DAY_MS;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const running = new AbortController().signal;

let stand: ArchiveStand;
beforeAll(async () => {
  stand = await ArchiveStand.start();
});
afterAll(() => stand?.stop());

function archiveOf(changed: Partial<Pick<ArchiveStand, 'redis' | 'store'>> = {}) {
  const { redis = stand.redis, store = stand.store } = changed;
  const errors: unknown[] = [];
  const archive = new LedgerArchive({
    redis,
    store,
    codec: createObjectCodec([]),
    afterDays: 60,
    keepDays: KEEP_DAYS,
    onError: (error) => errors.push(error),
  });
  return { archive, errors };
}

function ledgerAt(nowMs: number) {
  const settings = {
    limits: [],
    timeZone: 'UTC',
    keepEntriesMs: KEEP_DAYS * DAY_MS,
    keepUsageMs: KEEP_DAYS * DAY_MS,
  };
  return new RedisBudgetLedger({ redis: stand.redis, ...settings, clock: () => nowMs });
}

/** Reserves and settles generations of one tenant on one day, and notes that day. */
async function book(tenant: string, nowMs: number, generations: number): Promise<void> {
  const ledger = ledgerAt(nowMs);
  const owner = { tenant, user: 'ann', team: null, keyId: 'k' };
  for (let index = 0; index < generations; index += 1) {
    const generationId = `${tenant}_${nowMs}_${index}`;
    const price = { fixedMicroUsd: 5, outputMicroUsdPerMillion: 5 };
    await ledger.reserve({
      ...owner,
      generationId,
      inputTokens: 3,
      maxOutputTokens: 10,
      minOutputTokens: 1,
      price,
    });
    const usage = { ...NO_USAGE, inputTokens: 3, outputTokens: 4 };
    await ledger.settle({
      ...owner,
      generationId,
      usage,
      costMicroUsd: 7,
      attempt: 1,
      provider: 'sim',
      model: 'm',
      counted: UNKNOWN_END,
    });
  }
  const member = {
    score: Date.parse(dayOf(nowMs)) + 60 * DAY_MS,
    value: JSON.stringify([tenant, dayOf(nowMs)]),
  };
  await stand.redis.zAdd(REDIS_KEYS.archiveDaysDue, member);
}

async function entriesOf(tenant: string, limit: number, archived: ArchivedDays): Promise<BudgetEntry[]> {
  const { limits } = ledgerAt(Date.now());
  const accounts = new BudgetAccounts({ redis: stand.redis, limits, archived });
  const query = { from: dayOf(OLD_MS - DAY_MS), until: dayOf(Date.now()), limit };
  const entries: BudgetEntry[] = [];
  for (let after: string | undefined; ; ) {
    const page = await accounts.entries(tenant, after === undefined ? query : { ...query, after });
    entries.push(...page.data);
    if (page.next === null) return entries;
    after = page.next;
  }
}

const oldKey = (tenant: string) => REDIS_KEYS.budget(tenant, 'entries', dayOf(OLD_MS));

test('a day that is old enough moves, and every page of entries reads as before', async () => {
  await book('acme', OLD_MS, 12);
  await book('acme', Date.now(), 3);
  const { archive, errors } = archiveOf();
  const before = await entriesOf('acme', 7, archive);
  expect(before.length).toBeGreaterThanOrEqual(30);
  expect(await archive.sweep(Date.now(), running)).toBe(1);
  expect(await stand.redis.exists(oldKey('acme'))).toBe(0);
  expect(await stand.redis.exists(REDIS_KEYS.budget('acme', 'entries', dayOf(Date.now())))).toBe(1);
  for (const limit of [1, 7, 1_000]) expect(await entriesOf('acme', limit, archive)).toEqual(before);
  // A settlement that comes too late is read after the others.
  await book('acme', OLD_MS + 1, 1);
  const late = await entriesOf('acme', 7, archive);
  expect(late.slice(0, 24)).toEqual(before.slice(0, 24));
  expect(late).toHaveLength(before.length + PER_GENERATION);
  expect(await archive.sweep(Date.now(), running)).toBe(1);
  expect(await entriesOf('acme', 7, archive)).toEqual(late);
  expect(errors).toEqual([]);
});

test('a day of thousands of entries is read in parts, also while it moves', async () => {
  const count = 4_500;
  await book('large', OLD_MS, 1);
  const [first] = (await stand.redis.xRange(oldKey('large'), '-', '+')) ?? [];
  for (let index = 0; index < count; index += 1) {
    void stand.redis.xAdd(oldKey('large'), '*', { ...first?.message, generation: `gen_${index}` });
  }
  const { archive } = archiveOf();
  const before = await entriesOf('large', 1_000, archive);
  expect(before).toHaveLength(count + PER_GENERATION);
  const [during] = await Promise.all([
    entriesOf('large', 1_000, archive),
    archive.sweep(Date.now(), running),
  ]);
  expect(during).toEqual(before);
  expect(await entriesOf('large', 999, archive)).toEqual(before);
  expect((await stand.objectKeys(`ledger/${dayOf(OLD_MS)}/large`)).length).toBe(3);
});

test('a list that is being read when its day moves goes to the archive for the rest', async () => {
  await book('moving', OLD_MS, 4);
  const { archive } = archiveOf();
  const before = await entriesOf('moving', 3, archive);
  let isMoved = false;
  const moving: ArchivedDays = {
    mayHave: (day) => archive.mayHave(day),
    read: async (tenant, day, after) => {
      const found = await archive.read(tenant, day, after);
      if (day === dayOf(OLD_MS) && !isMoved) {
        isMoved = true;
        await archive.sweep(Date.now(), running);
      }
      return found;
    },
  };
  expect(await entriesOf('moving', 3, moving)).toEqual(before);
  expect(await stand.redis.exists(oldKey('moving'))).toBe(0);
});

test('an entry that is booked while its day moves is not lost with it', async () => {
  await book('late', OLD_MS, 2);
  let isBooked = false;
  const redis = withMethods(stand.redis, {
    xRange: async (...parameters: Parameters<typeof stand.redis.xRange>) => {
      const page = await stand.redis.xRange(...parameters);
      // After all entries were read, and before they are removed.
      if (parameters[0] === oldKey('late') && page?.length === 0 && !isBooked) {
        isBooked = true;
        await book('late', OLD_MS + 1, 1);
      }
      return page;
    },
  });
  const { archive, errors } = archiveOf({ redis });
  await archive.sweep(Date.now(), running);
  const entries = await entriesOf('late', 2, archive);
  expect(new Set(entries.map(({ generation }) => generation)).size).toBe(3);
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  expect(isBooked).toBe(true);
  expect(errors).toEqual([]);
});

test('a day is not removed while it has as many entries as were archived, and other ones', async () => {
  await book('other', OLD_MS, 2);
  let replaced = '';
  const redis = withMethods(stand.redis, {
    xRange: async (...parameters: Parameters<typeof stand.redis.xRange>) => {
      const page = await stand.redis.xRange(...parameters);
      // As after a failover that lost the last one: another is booked in its place.
      if (parameters[0] === oldKey('other') && page?.length === 0 && replaced === '') {
        const [last] = (await stand.redis.xRevRange(oldKey('other'), '+', '-', { COUNT: 1 })) ?? [];
        await stand.redis.xDel(oldKey('other'), last?.id ?? '');
        replaced = await stand.redis.xAdd(oldKey('other'), '*', { ...last?.message });
      }
      return page;
    },
  });
  const { archive } = archiveOf({ redis });
  await archive.sweep(Date.now(), running);
  expect((await entriesOf('other', 2, archive)).map(({ id }) => id)).toContain(replaced);
});

test.each([true, false])(
  'a worker that dies anywhere loses and doubles no entry (last call done: %s)',
  async (isLastDone) => {
    const { archive } = archiveOf();
    for (let steps = 1; ; steps += 1) {
      const tenant = `mortal_${isLastDone}_${steps}`;
      await book(tenant, OLD_MS, 2);
      const before = await entriesOf(tenant, 3, archive);
      const mortal = new MortalProcess(steps, isLastDone);
      const dying = archiveOf({ redis: mortal.wrap(stand.redis), store: mortal.wrap(stand.store) });
      const sweep = dying.archive.sweep(Date.now(), running).then(() => true);
      const isWhole = await Promise.race([sweep, mortal.died.then(() => false)]);
      expect(await entriesOf(tenant, 3, archive)).toEqual(before);
      const value = JSON.stringify([tenant, dayOf(OLD_MS)]);
      const isLeft = (await stand.redis.zScore(REDIS_KEYS.archiveDaysDue, value)) !== null;
      if (isLeft) await stand.redis.zAdd(REDIS_KEYS.archiveDaysDue, { score: 0, value });
      await archive.sweep(Date.now(), running);
      expect(await entriesOf(tenant, 3, archive)).toEqual(before);
      expect(await stand.redis.exists(oldKey(tenant))).toBe(0);
      if (isWhole) {
        expect(steps).toBeGreaterThan(4);
        return;
      }
    }
  },
);

test('the ledger itself notes its days, and what was kept long enough is deleted from the archive', async () => {
  const { archive } = archiveOf();
  const ledger = archive.observe(ledgerAt(Date.now()));
  const price = { fixedMicroUsd: 5, outputMicroUsdPerMillion: 5 };
  const owner = { tenant: 'noted', user: 'ann', team: null, keyId: 'k' };
  const amounts = { inputTokens: 3, maxOutputTokens: 10, minOutputTokens: 1, price };
  for (const generationId of ['a', 'b']) await ledger.reserve({ ...owner, generationId, ...amounts });
  const days = (await stand.redis.zRange(REDIS_KEYS.archiveDaysDue, 0, -1)).filter((name) =>
    name.includes('noted'),
  );
  expect(days).toContain(JSON.stringify(['noted', dayOf(Date.now())]));
  expect(days.length).toBeLessThanOrEqual(4);
  expect((await stand.objectKeys('ledger/')).length).toBeGreaterThan(0);
  await archive.sweep(OLD_MS + KEEP_DAYS * DAY_MS, running);
  expect((await stand.objectKeys('ledger/')).length).toBeGreaterThan(0);
  await archive.sweep(OLD_MS + (KEEP_DAYS + 2) * DAY_MS, running);
  expect(await stand.objectKeys('ledger/')).toEqual([]);
});
