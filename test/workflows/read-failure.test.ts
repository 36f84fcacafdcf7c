import { describe, expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { readFailureFacts } from '../../contracts/steps.ts';
import { readFailure } from '../../workflows/provider-fallback.ts';

describe('the failure of a step that Temporal retried until its time was up', () => {
  const ended = (retryState: RetryState, type: string) =>
    readFailure(
      new ActivityFailure(
        'failed',
        'streamGeneration',
        '1',
        retryState,
        undefined,
        ApplicationFailure.create({ type }),
      ),
    );

  test('is that no time was left, whatever the last retry failed with', () => {
    expect(ended(RetryState.TIMEOUT, 'SocketClosedUnexpectedlyError').code).toBe('generation_timeout');
  });
  test('is the error of the log where the log has one', () => {
    expect(ended(RetryState.TIMEOUT, 'provider_unavailable').code).toBe('provider_unavailable');
  });
  test('is ours where it was not retried', () => {
    expect(ended(RetryState.NON_RETRYABLE_FAILURE, 'TypeError').code).toBe('internal');
  });
});

describe('the facts of a failure', () => {
  const facts = (...details: unknown[]) => readFailureFacts(details);

  test('are how long to wait, and what the caller may know', () => {
    expect(facts({ waitMs: 50, details: { left: 3 } })).toEqual({ waitMs: 50, details: { left: 3 } });
    expect(facts({ waitMs: 50 })).toEqual({ waitMs: 50 });
    expect(facts({ details: { retryAtMs: 7 } })).toEqual({ details: { retryAtMs: 7 } });
  });
  test('are read from histories of older code, which had two shapes', () => {
    expect(facts(50)).toEqual({ waitMs: 50 });
    expect(facts({ retryAtMs: 7 })).toEqual({ details: { retryAtMs: 7 } });
  });
  test('are small: what is neither text nor number is left out', () => {
    expect(facts({ details: { left: 3, nested: {} } })).toEqual({ details: { left: 3 } });
    expect(facts({ waitMs: Number.POSITIVE_INFINITY })).toEqual({});
    expect(facts()).toEqual({});
    expect(facts('a text')).toEqual({});
  });
});
