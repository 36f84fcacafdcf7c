import { describe, expect, test } from '@jest/globals';
import { outcomeOf, readRecord } from '../../activities/generation-record.ts';
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import { addUsage, NO_USAGE } from '../../contracts/money.ts';
import { eventsOf, failed, started, text, USAGE } from './attempt/events-of.ts';

test('an empty log records nothing', () => {
  expect(readRecord([])).toEqual({
    text: '',
    lastMessage: '',
    invalid: null,
    holdsInvalid: false,
    follows: null,
    besideAttempts: { tokens: 0, costMicroUsd: 0 },
    continuedChars: 0,
    hasReasoning: false,
    hasToolCalls: false,
    attempts: 0,
    openAttempt: null,
    usage: NO_USAGE,
    costMicroUsd: 0,
    charges: [],
    capTokens: 0,
    budgetNoted: false,
    errors: [],
    outcome: null,
  });
});

test('an attempt without an end in the log is open, with the text that it delivered', () => {
  const record = readRecord(eventsOf(started(1), text('a'), failed(1), started(2, 'prefill'), text('b')));
  expect(record.text).toBe('ab');
  expect(record.attempts).toBe(2);
  expect(record.openAttempt).toMatchObject({ attempt: 2, strategy: 'prefill', ownText: 'b' });
});

test('a reattached response is one attempt, and keeps its output', () => {
  const resumed = [started(1), text('a'), failed(1, { resumable: true }), started(2, 'reattach'), text('b')];
  expect(readRecord(eventsOf(...resumed)).openAttempt).toMatchObject({ ownText: 'ab' });
});

test('an error that ended its attempt closes it; one that left the response running does not', () => {
  expect(readRecord(eventsOf(started(1), failed(1))).openAttempt).toBeNull();
  expect(readRecord(eventsOf(started(1), failed(1, { resumable: true }))).openAttempt).not.toBeNull();
});

test('usage and cost of failed attempts are summed, each once', () => {
  const record = readRecord(eventsOf(started(1), failed(1), started(2), failed(2)));
  expect(record.usage).toEqual(addUsage(USAGE, USAGE));
  expect(record.costMicroUsd).toBe(14);
  expect(record.errors).toHaveLength(2);
});

test('charges are per ended attempt; a running response is not charged yet', () => {
  const raised = {
    provider: 'sim',
    model: 'm',
    attempt: 3,
    maxOutputTokens: 50,
    usage: USAGE,
    costMicroUsd: 4,
  };
  const record = readRecord(
    eventsOf(
      started(1),
      failed(1, { resumable: true }),
      started(1, 'reattach'),
      failed(1),
      started(2),
      failed(2),
      started(3),
      text('a'),
      { type: 'cap-raise', ...raised } as const,
    ),
  );
  expect(record.charges).toEqual(
    [1, 2, 3].map((attempt) => ({
      attempt,
      provider: 'sim',
      model: 'm',
      usage: USAGE,
      costMicroUsd: attempt === 3 ? 4 : 7,
    })),
  );
  expect(record).toMatchObject({ openAttempt: null, capTokens: 50, text: 'a', attempts: 3 });
});

test('voided text is not held', () => {
  const reset = { type: 'text-reset', reason: 'restart' } as const;
  expect(readRecord(eventsOf(started(1), text('old'), reset, text('new'))).text).toBe('new');
});

test('a noted budget is known', () => {
  const noted = { reservedTokens: 10, remainingTokens: null, maxOutputTokens: 5 };
  expect(readRecord(eventsOf({ type: 'budget-reserve', ...noted })).budgetNoted).toBe(true);
});

test('the outcome is that of the terminal event', () => {
  const totals = { usage: USAGE, costMicroUsd: 9, attempts: 2 };
  const [end, cancel, error, unknown, open] = eventsOf(
    { type: 'generation-end', provider: 'sim', model: 'm', finishReason: 'length', cached: false, ...totals },
    { type: 'generation-cancel', ...totals },
    { type: 'generation-error', error: { code: 'budget_exceeded', message: '', doc: '' }, ...totals },
    { type: 'generation-error', error: { code: 'of_a_later_version', message: '', doc: '' }, ...totals },
    text('a'),
  ).map(outcomeOf);
  expect(end).toMatchObject({
    status: 'completed',
    finishReason: 'length',
    lastSeq: 0,
    errorCode: null,
    ...totals,
  });
  expect(cancel).toMatchObject({ status: 'cancelled', errorCode: 'cancelled', lastSeq: 1, ...totals });
  expect(error).toMatchObject({ status: 'failed', errorCode: 'budget_exceeded', lastSeq: 2, ...totals });
  expect(unknown).toMatchObject({ status: 'failed', errorCode: 'internal' });
  expect(open).toBeNull();
});

test('reasoning and tool arguments are output of their attempt, but not text', () => {
  const call = { type: 'tool-call-delta', index: 0, id: 'c', name: 'find', arguments: '{}' } as const;
  const record = readRecord(
    eventsOf(started(1), { type: 'reasoning-delta', text: 'hm ' }, text('abc'), call),
  );
  expect(record).toMatchObject({ text: 'abc', hasReasoning: true, hasToolCalls: true });
  expect(record.openAttempt?.ownText).toBe('hm abc{}');
});

describe('a log that breaks its promises is not folded', () => {
  const end = {
    type: 'generation-cancel',
    attempts: 1,
    usage: NO_USAGE,
    costMicroUsd: 0,
  } as const;

  test.each<[string, readonly GenerationEvent[], string]>([
    ['with an event after its end', eventsOf(started(1), end, text('a')), 'no event follows'],
    ['with events out of order', eventsOf(started(1), text('a')).reverse(), 'in order'],
    ['whose attempts go back', eventsOf(started(2), started(1)), 'attempt 1 does not come after attempt 2'],
    [
      'with a negative cost',
      eventsOf(started(1), { ...failed(1), costMicroUsd: -1 } as EventBody),
      'nothing used is negative',
    ],
  ])('%s', (_, events, message) => {
    expect(() => readRecord(events)).toThrow(message);
  });
});
