import { describe, expect, test } from '@jest/globals';
import {
  capabilitiesFor,
  dutiesOf,
  openCheckpoint,
  planResume,
} from '../../../activities/attempt/resume-plan.ts';
import { readRecord } from '../../../activities/generation-record.ts';
import type { EventBody } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { eventsOf, failed, started, text } from './events-of.ts';

const CANDIDATE = { provider: 'sim', model: 'm' };
const CURSOR = { responseId: 'r1', sequenceNumber: 4, textChars: 3 };
const CHECKPOINT = { ...CANDIDATE, attempt: 1, cursor: CURSOR };
const ALL = { reattach: true, prefill: true, instruct: true };
/** Long enough to be continued by instruction. */
const LONG = 'The river carries light over stone';
const delivered = readRecord(eventsOf(started(1), text('abc')));

test('a log without text starts', () => {
  const plan = planResume(CANDIDATE, ALL, readRecord(eventsOf(started(1), failed(1))), null);
  expect(plan).toEqual({ strategy: 'start' });
});

test('a running response of the same model is reattached to before anything is paid again', () => {
  expect(planResume(CANDIDATE, ALL, delivered, CHECKPOINT)).toEqual({ strategy: 'reattach', cursor: CURSOR });
});

test.each([
  ['another model', { ...CANDIDATE, model: 'other' }, ALL],
  ['another provider', { ...CANDIDATE, provider: 'other' }, ALL],
  ['a model that cannot be reattached', CANDIDATE, { ...ALL, reattach: false }],
])('the checkpoint is ignored if %s continues', (_, candidate, can) => {
  expect(planResume(candidate, can, delivered, CHECKPOINT)).toEqual({
    strategy: 'prefill',
    deliveredText: 'abc',
  });
});

test('delivered text is continued by the best means that the model has', () => {
  const record = readRecord(eventsOf(started(1), text(LONG)));
  const planned = (can: Partial<typeof ALL>) =>
    planResume(CANDIDATE, { reattach: false, prefill: false, instruct: false, ...can }, record, null);
  expect(planned({ prefill: true, instruct: true }).strategy).toBe('prefill');
  expect(planned({ instruct: true })).toEqual({ strategy: 'instruct', deliveredText: LONG });
  expect(planned({})).toEqual({ strategy: 'restart' });
});

test('a model that refused a prefill gets none again; another model does', () => {
  const refused = failed(1, { code: 'provider_prefill_refused' });
  const record = readRecord(eventsOf(started(1), text(LONG), refused));
  expect(planResume(CANDIDATE, ALL, record, null).strategy).toBe('instruct');
  expect(planResume({ ...CANDIDATE, model: 'other' }, ALL, record, null).strategy).toBe('prefill');
});

test('a few characters are restarted rather than continued by instruction, unless the caller asked to continue them', () => {
  const can = { reattach: false, prefill: false, instruct: true };
  const raise = {
    provider: 'sim',
    model: 'm',
    attempt: 1,
    usage: NO_USAGE,
    costMicroUsd: 0,
    maxOutputTokens: 9,
  };
  expect(planResume(CANDIDATE, can, delivered, null)).toEqual({ strategy: 'restart' });
  for (const wished of [
    [{ type: 'generation-continue', generationId: 'gen_a', chars: 3 } as const, text('abc')],
    [started(1), text('abc'), { type: 'cap-raise', ...raise } as const],
  ]) {
    const record = readRecord(eventsOf(...(wished as EventBody[])));
    expect(planResume(CANDIDATE, can, record, null).strategy).toBe('instruct');
  }
});

test('a checkpoint counts only for the attempt that the log holds open', () => {
  expect(openCheckpoint(CHECKPOINT, delivered)).toEqual(CHECKPOINT);
  const madeAgain = readRecord(eventsOf(started(1), text('abc'), failed(1), started(2, 'instruct')));
  expect(openCheckpoint(CHECKPOINT, madeAgain)).toBeNull();
  expect(openCheckpoint({ ...CHECKPOINT, model: 'other' }, delivered)).toBeNull();
  expect(openCheckpoint(CHECKPOINT, readRecord(eventsOf(started(1), failed(1))))).toBeNull();
  expect(openCheckpoint(null, delivered)).toBeNull();
  expect(openCheckpoint({ provider: 'sim' }, delivered)).toBeNull();
});

const thought: EventBody = { type: 'reasoning-delta', text: 'hm' };
const call: EventBody = { type: 'tool-call-delta', index: 0, id: 'c', name: 'find', arguments: '{"wh' };
const reset: EventBody = { type: 'text-reset', reason: 'again' };

describe('what is never continued in the middle', () => {
  const planOf = (events: EventBody[], checkpoint: typeof CHECKPOINT | null = null) => {
    const record = readRecord(eventsOf(started(1), ...events));
    const resume = planResume(CANDIDATE, ALL, record, checkpoint);
    return { strategy: resume.strategy, voids: dutiesOf(resume, record).voids };
  };

  test('a tool call is restarted, whatever text precedes it, and voids what readers hold', () => {
    expect(planOf([call])).toEqual({ strategy: 'restart', voids: true });
    expect(planOf([text('abc'), call])).toEqual({ strategy: 'restart', voids: true });
  });

  test('reasoning without text is restarted; text after reasoning is continued', () => {
    expect(planOf([thought])).toEqual({ strategy: 'start', voids: true });
    expect(planOf([thought, text('abc')])).toEqual({ strategy: 'prefill', voids: false });
  });

  test('a running response is reattached to in the middle of either', () => {
    expect(planOf([thought, call], CHECKPOINT)).toEqual({ strategy: 'reattach', voids: false });
  });

  test('what was voided does not count', () => {
    expect(planOf([thought, call, reset])).toEqual({ strategy: 'start', voids: false });
    expect(planOf([call, reset, text('abc')])).toEqual({ strategy: 'prefill', voids: false });
  });

  test('a checkpoint keeps which calls are in the log', () => {
    const toolCalls = [{ outputIndex: 1, id: 'c', name: 'find', argumentsChars: 5 }];
    const stored = { ...CHECKPOINT, cursor: { ...CURSOR, reasoningChars: 2, toolCalls } };
    const record = readRecord(eventsOf(started(1), thought, call));
    expect(openCheckpoint(JSON.parse(JSON.stringify(stored)), record)).toEqual(stored);
  });
});

describe('an answer in JSON', () => {
  const output = { name: 'answer', schema: { type: 'object' } };

  test('is never continued: with a schema the model writes a whole value, which would follow the old half', () => {
    const record = readRecord(eventsOf(started(1), text('{"city":"Par'), failed(1)));
    for (const prefill of [true, false]) {
      const can = capabilitiesFor({ reattach: false, prefill, instruct: true }, { output });
      expect(planResume(CANDIDATE, can, record, null)).toEqual({ strategy: 'restart' });
      expect(dutiesOf({ strategy: 'restart' }, record)).toMatchObject({ guardedText: record.text });
    }
  });

  test('is reattached to while its response runs, and prose is continued', () => {
    const can = capabilitiesFor(ALL, { output });
    expect(planResume(CANDIDATE, can, delivered, CHECKPOINT).strategy).toBe('reattach');
    expect(capabilitiesFor(ALL, {})).toEqual(ALL);
  });
});

describe('the duties of a response stay the same after a reattach', () => {
  const dutiesAfter = (...events: EventBody[]) => {
    const record = readRecord(eventsOf(...events));
    return dutiesOf({ strategy: 'reattach', cursor: CURSOR }, record);
  };

  test('a restart whose call was accepted and cut has the guard of its first process', () => {
    const cut = [started(1), text('abc'), failed(1), started(2, 'restart'), failed(2, { resumable: true })];
    expect(dutiesAfter(...cut)).toEqual({ voids: false, guardedText: 'abc', sentText: '' });
    // However often it is reattached.
    expect(dutiesAfter(...cut, started(2, 'reattach'))).toMatchObject({ guardedText: 'abc' });
    expect(dutiesAfter(...cut, started(2, 'reattach'), text('d'))).toMatchObject({ guardedText: '' });
  });

  test('half a tool call of another response is voided, though the log of an older version does not say it yet', () => {
    const cut = [started(1), call, failed(1), started(2, 'restart')];
    expect(dutiesAfter(...cut)).toMatchObject({ voids: true, guardedText: '' });
    expect(dutiesAfter(...cut, reset, call)).toMatchObject({ voids: false });
    // The first piece of a call may have no arguments yet.
    expect(dutiesAfter(started(1), { ...call, arguments: '' })).toMatchObject({ voids: false });
    expect(dutiesAfter(started(1), thought)).toMatchObject({ voids: false });
  });

  test('a continuation keeps the text that was sent with it', () => {
    const continued = [started(1), text('abc'), failed(1), started(2, 'instruct'), text('d')];
    expect(dutiesAfter(...continued)).toEqual({ voids: false, guardedText: '', sentText: 'abc' });
    // Its first text must still be compared, whichever process reads it.
    expect(dutiesAfter(...continued.slice(0, -1))).toMatchObject({ guardedText: 'abc', sentText: 'abc' });
    expect(dutiesAfter(started(1), text('abc'))).toMatchObject({ sentText: '' });
  });
});

describe('a plan that contradicts the log is refused', () => {
  const ended = readRecord(eventsOf(started(1), text('abc'), failed(1)));

  test('a checkpoint without an open attempt', () => {
    expect(() => planResume(CANDIDATE, ALL, ended, CHECKPOINT)).toThrow(
      'only an open attempt has a checkpoint',
    );
  });
  test('a reattach without an open attempt', () => {
    const resume = { strategy: 'reattach', cursor: CURSOR } as const;
    expect(() => dutiesOf(resume, ended)).toThrow('only an open attempt is reattached to');
  });
  test('a continuation of nothing', () => {
    const resume = { strategy: 'prefill', deliveredText: '' } as const;
    expect(() => dutiesOf(resume, ended)).toThrow('only delivered text is continued');
  });
});
