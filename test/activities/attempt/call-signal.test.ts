/** When the call of a stopped attempt is aborted. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { CallSignal } from '../../../activities/attempt/call-signal.ts';
import type { Stop } from '../../../activities/attempt/running-streams.ts';
import { LIMITS } from '../../../contracts/limits.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function callThat({ isResumable }: { isResumable: boolean }) {
  const controller = new AbortController();
  let why: Stop | null = null;
  const call = new CallSignal({ signal: controller.signal, stopped: () => why }, isResumable);
  const stop = (reason: Stop) => {
    why = reason;
    controller.abort(new Error(reason));
  };
  return { call, stop };
}

test('a call that is left to the next attempt is aborted once the log can name its response', () => {
  const { call, stop } = callThat({ isResumable: true });
  stop('leave');
  expect(call.signal.aborted).toBe(false);
  call.noteNamed();
  expect(call.signal.reason).toMatchObject({ message: 'leave' });
});

test('a provider that names nothing is not waited for longer than the limit', () => {
  const { call, stop } = callThat({ isResumable: true });
  stop('leave');
  jest.advanceTimersByTime(LIMITS.learnResponseMs - 1);
  expect(call.signal.aborted).toBe(false);
  jest.advanceTimersByTime(1);
  expect(call.signal.aborted).toBe(true);
});

test.each([
  ['that is cancelled', { isResumable: true }, 'cancel'],
  ['whose time is up', { isResumable: true }, 'deadline'],
  ['that nobody could resume', { isResumable: false }, 'leave'],
] as const)('a call %s is aborted at once', (_, facts, why) => {
  const { call, stop } = callThat(facts);
  stop(why);
  expect(call.signal.aborted).toBe(true);
});

test('a call whose response is in the log is aborted at once, and one that is over leaves no timer', () => {
  const named = callThat({ isResumable: true });
  named.call.noteNamed();
  named.stop('leave');
  expect(named.call.signal.aborted).toBe(true);
  const ended = callThat({ isResumable: true });
  ended.stop('leave');
  ended.call.end();
  expect(jest.getTimerCount()).toBe(0);
});
