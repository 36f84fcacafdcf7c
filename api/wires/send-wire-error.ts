/** Which shape an error has depends on whose API the path is of. */
import type { Request, Response } from 'express';
import type { UnbrokenError } from '../../contracts/errors.ts';
import { sendError } from '../http/send-error.ts';
import { toAnthropicError } from './anthropic-messages/errors.ts';
import { toOpenAiError } from './openai-responses/errors.ts';

const OPENAI = /^\/v1\/(responses|chat|embeddings|models)(\/|\?|$)/;
const ANTHROPIC = /^\/v1\/messages(\/|\?|$)/;

export function sendWireError(request: Request, response: Response, error: UnbrokenError): void {
  const isOpenAi = OPENAI.test(request.originalUrl);
  const isAnthropic = ANTHROPIC.test(request.originalUrl);
  // Both vendors' clients send a failed request again by themselves. What has run has been tried often enough.
  if (isOpenAi || isAnthropic) response.setHeader('x-should-retry', String(error.entry.status === 503));
  if (isOpenAi) sendError(response, error, { error: toOpenAiError(error) });
  else if (isAnthropic) sendError(response, error, toAnthropicError(error));
  else sendError(response, error);
}
