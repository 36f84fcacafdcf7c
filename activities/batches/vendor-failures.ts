/**
 * What a step of a hand-over fails with, and what an operator learns of it. A vendor's message may quote a prompt, so
 * it stays out of the history and out of logs.
 */
import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { UnbrokenError } from '../../contracts/errors.ts';

/** The step is repeated until the vendors are done. */
export function notYet(message: string, nextRetryDelay: number): ApplicationFailure {
  return ApplicationFailure.create({ message, type: 'vendor_runs', nextRetryDelay });
}

/**
 * @param longestMs the step is repeated after this at the latest: it must notice when its time is over.
 * @returns the error as it is, unless it came from a vendor.
 */
export function vendorFailure(error: unknown, provider: string, longestMs: number): unknown {
  if (!(error instanceof UnbrokenError)) return error;
  const message = `${provider}: ${error.code}`;
  const { retryAfterMs } = error;
  const wait = retryAfterMs === undefined ? {} : { nextRetryDelay: Math.min(retryAfterMs, longestMs) };
  return ApplicationFailure.create({ message, type: error.code, ...wait });
}

/** In the log of the worker: a part whose lines cost more than their user has hoped, or have no answer. */
export function warnOfPart(
  message: string,
  part: { readonly batchId: string; readonly provider: string; readonly part: number },
): void {
  log.warn(message, part);
}
