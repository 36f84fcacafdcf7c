/** How an attempt fails: for good, or so that the next one resumes from the log. */
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode } from '../contracts/errors.ts';

/** Nothing is to be waited for. */
export const AT_ONCE_MS = 50;

export function interrupted(cause: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'This attempt ends without an answer; the next one resumes from the log.',
    type: 'attempt_interrupted',
    nextRetryDelay: AT_ONCE_MS,
    ...(cause instanceof Error ? { cause } : {}),
  });
}

/** The run was given to another worker, which resumes from the log. */
export function notOurs(): ApplicationFailure {
  return interrupted(null);
}

export function timeIsUp(): ApplicationFailure {
  return permanent('generation_timeout', 'The generation took longer than its limit.');
}

/** @param facts small facts for the reader, such as what a budget has left. */
export function permanent(code: ErrorCode, message: string, facts?: object): ApplicationFailure {
  const details = facts === undefined ? {} : { details: [facts] };
  return ApplicationFailure.create({ message, type: code, nonRetryable: true, ...details });
}
