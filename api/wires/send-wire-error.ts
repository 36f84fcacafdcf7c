/** Sends an error in the shape of the API that the path belongs to: OpenAI's, Anthropic's or ours. */
import type { Request, Response } from 'express';
import type { ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { requestIdOf } from '../http/front-door.ts';
import { sendError } from '../http/send-error.ts';
import { isForAnthropic } from '../routes/list-models.ts';
import { toAnthropicError } from './anthropic-messages/errors.ts';
import { openAiStatus, toOpenAiError } from './openai-responses/errors.ts';

const OPENAI = /^\/v1\/(responses|conversations|chat|completions|embeddings|files|batches|models)(\/|\?|$)/;
/** Paths that both vendors have. */
const SHARED = /^\/v1\/models(\/|\?|$)/;
const ANTHROPIC = /^\/v1\/messages(\/|\?|$)/;

/** Limits of ours that pass by themselves: what they refuse has not begun. */
const PASSING_LIMITS: ReadonlySet<ErrorCode> = new Set(['rate_limited', 'too_many_bytes']);

export function sendWireError(request: Request, response: Response, error: UnbrokenError): void {
  const isShared = SHARED.test(request.originalUrl) && isForAnthropic(request);
  const isAnthropic = isShared || ANTHROPIC.test(request.originalUrl);
  const isOpenAi = !isAnthropic && OPENAI.test(request.originalUrl);
  // Clients of both vendors retry by default. A generation that has run was already retried by us; these have not run.
  const wasNotAccepted = error.entry.status === 503 || PASSING_LIMITS.has(error.code);
  if (isOpenAi || isAnthropic) response.setHeader('x-should-retry', String(wasNotAccepted));
  const format = request.originalUrl.startsWith('/v1/chat') ? 'openai-chat' : 'openai-responses';
  if (isOpenAi) sendError(response, error, { error: toOpenAiError(error, format) }, openAiStatus(error));
  else if (isAnthropic) sendError(response, error, toAnthropicError(error, requestIdOf(response)));
  else sendError(response, error);
}
