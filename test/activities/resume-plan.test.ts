import { expect, test } from '@jest/globals';
import { readRecord } from '../../activities/generation-record.ts';
import { openCheckpoint, planResume } from '../../activities/resume-plan.ts';
import { eventsOf, failed, started, text } from './events-of.ts';

const CANDIDATE = { provider: 'sim', model: 'm' };
const CURSOR = { responseId: 'r1', sequenceNumber: 4, textChars: 3 };
const CHECKPOINT = { ...CANDIDATE, cursor: CURSOR };
const ALL = { reattach: true, prefill: true, instruct: true };
const delivered = readRecord(eventsOf(started(1), text('abc')));

test('a log without text starts', () => {
  const plan = planResume(CANDIDATE, ALL, readRecord(eventsOf(started(1), failed(1))), null);
  expect(plan).toEqual({ strategy: 'start' });
});

test('a running response of the same model is taken up again before anything is paid anew', () => {
  expect(planResume(CANDIDATE, ALL, delivered, CHECKPOINT)).toEqual({ strategy: 'reattach', cursor: CURSOR });
});

test.each([
  ['another model', { ...CANDIDATE, model: 'other' }, ALL],
  ['another provider', { ...CANDIDATE, provider: 'other' }, ALL],
  ['a model that cannot be reattached', CANDIDATE, { ...ALL, reattach: false }],
])('the checkpoint is left where %s goes on', (_, candidate, can) => {
  expect(planResume(candidate, can, delivered, CHECKPOINT)).toEqual({
    strategy: 'prefill',
    deliveredText: 'abc',
  });
});

test('delivered text is continued by the best means that the model has', () => {
  const planned = (can: Partial<typeof ALL>) =>
    planResume(CANDIDATE, { reattach: false, prefill: false, instruct: false, ...can }, delivered, null);
  expect(planned({ prefill: true, instruct: true }).strategy).toBe('prefill');
  expect(planned({ instruct: true })).toEqual({ strategy: 'instruct', deliveredText: 'abc' });
  expect(planned({})).toEqual({ strategy: 'restart' });
});

test('a model that refused a prefill is not asked for one again; another model is', () => {
  const refused = failed(1, { code: 'provider_prefill_refused' });
  const record = readRecord(eventsOf(started(1), text('abc'), refused));
  expect(planResume(CANDIDATE, ALL, record, null).strategy).toBe('instruct');
  expect(planResume({ ...CANDIDATE, model: 'other' }, ALL, record, null).strategy).toBe('prefill');
});

test('a checkpoint counts only for the attempt that the log holds open', () => {
  expect(openCheckpoint(CHECKPOINT, delivered)).toEqual(CHECKPOINT);
  expect(openCheckpoint({ ...CHECKPOINT, model: 'other' }, delivered)).toBeNull();
  expect(openCheckpoint(CHECKPOINT, readRecord(eventsOf(started(1), failed(1))))).toBeNull();
  expect(openCheckpoint(null, delivered)).toBeNull();
  expect(openCheckpoint({ provider: 'sim' }, delivered)).toBeNull();
});
