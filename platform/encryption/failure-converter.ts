/** Failures with their message and stack trace as a payload, which the codec then encrypts; loaded by its path. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
