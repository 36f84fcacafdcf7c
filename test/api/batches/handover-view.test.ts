/** What a request says of waiting at vendors, and what its batch shows of it. */
import { describe, expect, test } from '@jest/globals';
import { handoverView } from '../../../api/batches/handover-view.ts';
import { batchMode } from '../../../api/batches/line-headers.ts';
import type { Handover, PartState } from '../../../engine/batches/handover.ts';

const requestWith = (value?: string) => ({
  get: (name: string) => (name === 'x-unbroken-batch' ? value : undefined),
});

test('the header decides, and without one the config', () => {
  expect(batchMode(requestWith('vendor'), 'live')).toEqual({ mode: 'vendor' });
  expect(batchMode(requestWith('live'), 'vendor')).toEqual({});
  expect(batchMode(requestWith(), 'vendor')).toEqual({ mode: 'vendor' });
  expect(batchMode(requestWith(), 'live')).toEqual({});
  expect(() => batchMode(requestWith('cheap'), 'live')).toThrow('expected live or vendor');
});

describe('a batch shows', () => {
  const part: PartState = {
    part: 0,
    provider: 'openai',
    lines: 3,
    atMs: 1,
    doubts: [],
    ref: { vendorId: 'batch_v', keyId: 'k' },
    end: null,
  };
  const handoverWith = (facts: Partial<Handover>) =>
    handoverView({
      handover: { liveReason: null, liveAtMs: 5_500, parts: [], done: 0, answers: null, ...facts },
    });

  test('nothing, if its lines do not wait', () => {
    expect(handoverView({ handover: null })).toBeNull();
  });

  test('what its lines wait for, and then how many answers there are', () => {
    expect(handoverWith({ liveAtMs: null })).toMatchObject({ status: 'preparing', live_at: null });
    expect(handoverWith({ parts: [{ ...part, ref: null }, part], done: 2 })).toEqual({
      status: 'waiting',
      reason: null,
      live_at: 5,
      lines: 6,
      answered: 2,
      batches: [
        { provider: 'openai', id: null, lines: 3, status: 'submitting', error: null },
        { provider: 'openai', id: 'batch_v', lines: 3, status: 'running', error: null },
      ],
    });
    const refused = { ...part, end: { state: 'refused', message: 'full' } } as const;
    expect(handoverWith({ parts: [refused], done: 3, answers: 1 })).toMatchObject({
      status: 'ended',
      answered: 1,
      batches: [{ status: 'refused', error: 'full' }],
    });
  });

  test('why its lines are called', () => {
    expect(handoverWith({ liveReason: 'too short' })).toMatchObject({ status: 'live', reason: 'too short' });
  });
});
