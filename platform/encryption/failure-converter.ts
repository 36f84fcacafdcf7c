/**
 * Moves the message and stack trace of failures into a payload, which the codec encrypts. Temporal loads it by path.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
