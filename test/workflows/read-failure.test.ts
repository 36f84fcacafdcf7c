import { describe, expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
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
