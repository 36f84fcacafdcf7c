import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { reserveCall } from '../../../activities/attempt/reserve-call.ts';
import { planResume } from '../../../activities/attempt/resume-plan.ts';
import { readRecord } from '../../../activities/generation-record.ts';
import { budgetLimitSchema } from '../../../contracts/budgets.ts';
import type { EventBody } from '../../../contracts/events.ts';
import { NO_USAGE, totalTokens, type Usage } from '../../../contracts/money.ts';
import type { StreamStep } from '../../../contracts/steps.ts';
import { RedisBudgetLedger } from '../../../engine/budget/redis-budget-ledger.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';
import { eventsOf, text } from './events-of.ts';

const CANDIDATE = { provider: 'p', model: 'm' };
const INPUT = { messages: [{ role: 'user' as const, content: 'Why?' }], maxOutputTokens: 300 };
/** Of the first call: its input and its output, and what a judge may use. */
const RESERVED_TOKENS = 500;
const priceOf = (_provider: string, _model: string, { inputTokens, outputTokens }: Usage) =>
  2 * (inputTokens + outputTokens);
const countTexts = async (texts: readonly string[]) => texts.map((text) => text.length);
let server: TestRedis;
let redis: RedisConnection;
let count = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());

/** A generation of a new user, with a reservation for its first call. */
async function begin(limitTokens: number) {
  count += 1;
  const limit = { per: 'user', window: 'day', amount: limitTokens };
  const budget = new RedisBudgetLedger({
    redis,
    timeZone: 'UTC',
    keepEntriesMs: 60 * 86_400_000,
    keepUsageMs: 60 * 86_400_000,
    limits: [budgetLimitSchema.parse(limit)],
  });
  const owner = { generationId: `gen_${count}`, tenant: 't', user: `user_${count}`, team: null, keyId: 'k' };
  const { maxOutputTokens } = INPUT;
  const outcome = await budget.reserve({
    ...owner,
    maxOutputTokens,
    minOutputTokens: 1,
    inputTokens: RESERVED_TOKENS - maxOutputTokens,
    price: { fixedMicroUsd: 2 * (RESERVED_TOKENS - maxOutputTokens), outputMicroUsdPerMillion: 2_000_000 },
  });
  if (!outcome.granted) throw new Error('the first call was refused');
  const { granted: _, ...reserved } = outcome;
  const whole = {
    ...owner,
    route: 'default',
    cache: 'on' as const,
    candidates: [CANDIDATE],
    maxOutputTokens,
  };
  const step: StreamStep = {
    order: { ...whole, limitMs: 1, inputChars: 1 },
    candidate: CANDIDATE,
    ...reserved,
  };
  return { budget, step };
}

const used = (tokens: number) => ({
  usage: { ...NO_USAGE, outputTokens: tokens },
  costMicroUsd: 2 * tokens,
});
const judged: EventBody = { type: 'cache-judge', ...CANDIDATE, same: false, ...used(100) };
const followed: readonly EventBody[] = [
  { type: 'cache-join', leader: 'gen_leader', similarity: 1 },
  { type: 'cache-leave', reason: 'silence', share: used(250) },
];
const failed = (attempt: number): readonly EventBody[] => [
  { type: 'provider-start', ...CANDIDATE, attempt, strategy: 'start' },
  {
    type: 'provider-error',
    ...CANDIDATE,
    attempt,
    code: 'provider_unavailable',
    message: '',
    resumable: false,
    ...used(200),
  },
];

const paidBefore: readonly (readonly [string, readonly EventBody[]])[] = [
  ['a share of an answer that it could not copy whole', followed],
  ['a share, and has part of that answer', [...followed, text('So far. '.repeat(6))]],
  ['a judge', [judged]],
  ['a judge, and for calls that failed', [judged, ...failed(1), ...failed(2)]],
];

test.each(paidBefore)(
  'a call that follows what a generation paid for %s is reserved beside it',
  async (_, events) => {
    const { budget, step } = await begin(10_000);
    const record = readRecord(eventsOf(...events));
    const can = { reattach: false, prefill: true, instruct: true };
    const resume = planResume(CANDIDATE, can, record, null);
    const call = await reserveCall({ budget, countTexts, priceOf }, { step, input: INPUT, record, resume });
    if (!call.granted) throw new Error('there is room');
    const booked = record.charges.reduce((sum, { usage }) => sum + totalTokens(usage), 0);
    const most = totalTokens(record.usage) - booked + 4 + call.maxOutputTokens;
    expect(call.reservedTokens).toBeGreaterThanOrEqual(most);
    expect(call.reservedMicroUsd).toBeGreaterThanOrEqual(2 * most);
  },
);

test('a generation that has paid a share makes no call that its budget has no room for', async () => {
  const { budget, step } = await begin(RESERVED_TOKENS);
  const record = readRecord(eventsOf(...followed));
  const resume = { strategy: 'start' } as const;
  const call = await reserveCall({ budget, countTexts, priceOf }, { step, input: INPUT, record, resume });
  // What is left of the reservation is room for a shorter answer.
  expect(call).toMatchObject({ granted: true, reservedTokens: RESERVED_TOKENS });
  const output = call.granted ? call.maxOutputTokens : 0;
  expect(totalTokens(record.usage) + output).toBeLessThanOrEqual(RESERVED_TOKENS);
});
