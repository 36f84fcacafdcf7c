/** Each check is shown what it must not let pass. */
import { describe, expect, test } from '@jest/globals';
import { markIn } from '../plan.ts';
import { type Bills, type BookedEntry, checkBills, checkShown, type LogFacts } from './check-bills.ts';
import { checkDeliveries, type ReceivedDelivery } from './check-deliveries.ts';
import { checkDocument } from './check-documents.ts';
import { checkLines, type ReadLine } from './check-lines.ts';
import { checkTicks, ticksBetween } from './check-ticks.ts';
import { countsOf, type Fault } from './fault.ts';

const wrongs = (faults: readonly Fault[]) => faults.map(({ wrong }) => wrong);

describe('the check of lines', () => {
  const expected = [
    { customId: 'a', isRefused: false, isCancelled: false, text: 'A harbour.' },
    { customId: 'b', isRefused: true, isCancelled: false, text: 'B.' },
  ];
  const line = (customId: string, more: Partial<ReadLine> = {}): ReadLine => ({
    customId,
    kind: 'completed',
    generationId: `gen_${customId}`,
    text: 'A harbour.',
    code: '',
    ...more,
  });
  const failed = (customId: string, code = 'model_not_found') =>
    line(customId, { kind: 'failed', text: '', code });

  test('passes each line once, and one that the provider failed', () => {
    expect(checkLines(expected, [line('a'), failed('b')])).toEqual([]);
    expect(checkLines(expected, [failed('a', 'provider_unavailable'), failed('b')])).toEqual([]);
    const cancelled = expected.map((each) => ({ ...each, isCancelled: true }));
    expect(checkLines(cancelled, [failed('a', 'batch_cancelled'), failed('b')])).toEqual([]);
  });
  test.each<[string, ReadLine[], string]>([
    ['a lost line', [failed('b')], 'lost'],
    ['a line that is in one file twice', [line('a'), line('a'), failed('b')], 'twice'],
    ['a line that is in both files', [line('a'), failed('a'), failed('b')], 'twice'],
    ['a line that nobody sent', [line('a'), failed('b'), line('c')], 'twice'],
    ['half an answer', [line('a', { text: 'A har' }), failed('b')], 'garbled'],
    ['an answer of a model that does not exist', [line('a'), line('b')], 'garbled'],
    [
      'a line that was not sent, though nobody cancelled it',
      [failed('a', 'batch_cancelled'), failed('b')],
      'unexplained',
    ],
    ['an error that no kill explains', [failed('a', 'internal'), failed('b')], 'unexplained'],
  ])('finds %s', (_, lines, wrong) => {
    expect(wrongs(checkLines(expected, lines))).toEqual([wrong]);
  });
});

describe('the check of bills', () => {
  const entry = (generation: string, spentTokens: number, isEstimated = false): BookedEntry => ({
    tenant: 'acme',
    user: 'u',
    generation,
    spentTokens,
    spentMicroUsd: spentTokens * 2,
    isEstimated,
  });
  const call = (mark: string, made = 6) => ({
    prompt: `[{"content":"Story ${mark} "}]`,
    inputTokens: 4,
    made,
  });
  const log = (usedTokens: number | null, more: Partial<LogFacts> = {}): LogFacts => ({
    calls: 1,
    isEstimated: false,
    usedTokens,
    ...more,
  });
  const judge = (changes: Partial<Bills>) =>
    checkBills({
      payers: [{ mark: 'line-o1;', generationIds: ['g1'] }],
      calls: [call('line-o1;')],
      ledger: [entry('g1', 0), entry('g1', 10)],
      logs: new Map([['g1', log(10)]]),
      markIn,
      ...changes,
    });

  test('passes what was booked as it was billed, and counts an estimate apart', () => {
    expect(judge({})).toMatchObject({ faults: [], exact: { billed: 10, booked: 10 } });
    const calls = [call('line-o1;'), call('line-o1;', 2)];
    const logs = new Map([['g1', log(17, { calls: 2, isEstimated: true })]]);
    expect(judge({ calls, logs, ledger: [entry('g1', 7, true), entry('g1', 10)] })).toMatchObject({
      faults: [],
      orphaned: { marks: 1, billed: 16, booked: 17 },
    });
  });
  test.each<[string, Partial<Bills>, string[]]>([
    [
      'a call that no attempt has on record',
      { calls: [call('line-o1;'), call('line-o1;', 0)] },
      ['paid_twice', 'unpaid'],
    ],
    [
      'an attempt that was settled twice',
      { ledger: [entry('g1', 10), entry('g1', 10)] },
      ['paid_twice', 'paid_twice'],
    ],
    ['a call that was not booked', { ledger: [entry('g1', 0)] }, ['unpaid', 'unpaid']],
    [
      'a second generation of a line, though an estimate was booked for the first',
      {
        calls: [call('line-o1;'), call('line-o1;')],
        ledger: [entry('g1', 10, true)],
        logs: new Map([['g1', log(10, { isEstimated: true })]]),
      },
      ['paid_twice'],
    ],
    ['a generation that nothing asked for', { ledger: [entry('g1', 10), entry('g2', 5)] }, ['paid_twice']],
    [
      'a call under a mark that nothing was sent with',
      { calls: [call('line-o1;'), call('line-o9;')] },
      ['paid_twice', 'unpaid'],
    ],
  ])('finds %s', (_, changes, expected) => {
    expect(wrongs(judge(changes).faults)).toEqual(expected);
  });
  test('reads a mark at the beginning of a prompt, whatever the prompt quotes', () => {
    expect(markIn('[{"content":"Edit step-j1.edit; of: Write step-j1.sections.0; "}]')).toBe('step-j1.edit;');
    expect(markIn('[{"content":"Why?"}]')).toBeNull();
  });
  test('finds a batch or job that shows another sum than was booked', () => {
    const shown = {
      name: 'batch_1',
      tokens: 30,
      costMicroUsd: 60,
      booked: [entry('g1', 10), entry('g2', 20)],
    };
    expect(checkShown(shown)).toEqual([]);
    expect(wrongs(checkShown({ ...shown, tokens: 20 }))).toEqual(['miscounted']);
    expect(wrongs(checkShown({ ...shown, costMicroUsd: 40 }))).toEqual(['miscounted']);
  });
});

describe('the check of deliveries', () => {
  const expected = [{ receiver: 'acme', type: 'job.completed', dataId: 'job_1' }];
  const delivery = (more: Partial<ReceivedDelivery> = {}): ReceivedDelivery => ({
    receiver: 'acme',
    webhookId: 'msg_1',
    isSigned: true,
    body: '{}',
    type: 'job.completed',
    dataId: 'job_1',
    step: '',
    ...more,
  });

  test('passes one that came again under its id', () => {
    expect(checkDeliveries(expected, [delivery(), delivery()])).toEqual([]);
    const other = delivery({ receiver: 'job', webhookId: 'msg_2' });
    expect(checkDeliveries(expected, [delivery(), other])).toEqual([]);
  });
  test.each<[string, ReceivedDelivery[], string]>([
    ['one that never came', [], 'undelivered'],
    ['one that came to another receiver', [delivery({ receiver: 'job' })], 'undelivered'],
    ['a repeat under another id', [delivery(), delivery({ webhookId: 'msg_2' })], 'unrecognizable'],
    [
      'two events under one id',
      [delivery(), delivery({ dataId: 'job_2', body: '{"other":1}' })],
      'unrecognizable',
    ],
    ['a wrong signature', [delivery({ isSigned: false })], 'unrecognizable'],
  ])('finds %s', (_, received, wrong) => {
    expect(wrongs(checkDeliveries(expected, received))).toEqual([wrong]);
  });
});

describe('the check of ticks', () => {
  const ticks = {
    user: 'u',
    due: [10, 20],
    possible: [30],
    runs: [10, 20],
    started: ['a', 'b'],
    charged: ['a', 'b'],
  };

  test('passes each tick once, and the one of the moment of its creation', () => {
    expect(checkTicks(ticks)).toEqual([]);
    expect(checkTicks({ ...ticks, runs: [10, 20, 30], started: ['a', 'b', 'c'], charged: ['c'] })).toEqual(
      [],
    );
  });
  test.each<[string, Partial<typeof ticks>, string[]]>([
    ['a tick that was missed', { runs: [10], started: ['a'], charged: ['a'] }, ['missed_tick']],
    ['a tick with two runs', { runs: [10, 20, 20] }, ['doubled_tick']],
    ['a tick at no time of the schedule', { runs: [10, 20, 25], started: ['a', 'b', 'c'] }, ['doubled_tick']],
    ['a tick that started nothing', { started: ['a'], charged: ['a'] }, ['missed_tick']],
    ['a tick that started two generations', { started: ['a', 'b', 'c'] }, ['doubled_tick']],
    ['a charge for a generation without a run', { charged: ['a', 'x'] }, ['doubled_tick']],
  ])('finds %s', (_, changes, expected) => {
    expect(wrongs(checkTicks({ ...ticks, ...changes }))).toEqual(expected);
  });
  test('knows the ticks of an interval', () => {
    expect(ticksBetween(10, 10, 40)).toEqual([20, 30, 40]);
    expect(ticksBetween(10, 41, 49)).toEqual([]);
  });
});

test('the check of documents finds one that is missing, another one, and a job that has not ended', () => {
  const job = { id: 'job_1', status: 'completed', document: 'Title', errorCode: null };
  expect(checkDocument(job, 'Title')).toEqual([]);
  expect(checkDocument({ ...job, status: 'failed', errorCode: 'provider_unavailable' }, 'Title')).toEqual([]);
  expect(wrongs(checkDocument({ ...job, document: null }, 'Title'))).toEqual(['lost']);
  expect(wrongs(checkDocument({ ...job, document: 'Tit' }, 'Title'))).toEqual(['garbled']);
  expect(wrongs(checkDocument({ ...job, status: 'running' }, 'Title'))).toEqual(['unended']);
  expect(wrongs(checkDocument({ ...job, status: 'failed', errorCode: 'internal' }, 'Title'))).toEqual([
    'unexplained',
  ]);
});

test('the result has a count for each fault', () => {
  const faults = checkLines([{ customId: 'a', isRefused: false, isCancelled: false, text: '' }], []);
  expect(countsOf(faults)).toContain('lost 1 twice 0 garbled 0 paid_twice 0');
});
