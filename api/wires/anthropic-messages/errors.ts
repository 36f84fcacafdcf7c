/** Maps our errors to Anthropic's shape. Source: docs.claude.com, "Errors". */
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { inNamesOf } from '../field-names.ts';
import { retryAfterField } from '../openai-responses/errors.ts';

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

/** Clients repeat a request by the type of its error: of those that are at fault themselves, there are no others. */
function typeOf(status: number): string {
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

interface AnthropicErrorBody {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly code: string;
    readonly doc: string;
    readonly retry_after?: number;
  };
  /** As in the header `request-id`. */
  readonly request_id: string | null;
}

export function toAnthropicError(error: UnbrokenError, requestId: string | null = null): AnthropicErrorBody {
  const { code, doc } = error.toBody();
  const type = typeOf(error.entry.status);
  return {
    type: 'error',
    error: { type, message: messageOf(error), code, doc, ...retryAfterField(error) },
    request_id: requestId,
  };
}

/** The vendor's own words: its agents compact a conversation when they read them. */
const TOO_LONG = 'prompt is too long';
/** The same of an input that fits without the tokens that the answer may have: its agents ask for a shorter answer. */
const NO_ROOM = 'input length and `max_tokens` exceed context limit';

function messageOf(error: UnbrokenError): string {
  const { code, message } = error;
  if (code !== 'context_length_exceeded') return inNamesOf('anthropic-messages', error);
  const words = message.toLowerCase();
  if (words.includes(TOO_LONG) || words.includes(NO_ROOM)) return message;
  const counts = countsIn(message.slice(0, READ_CHARS));
  if (counts === null) return `${TOO_LONG}: ${message}`;
  const { input, output, window } = counts;
  return `${NO_ROOM}: ${input} + ${output} > ${window}, decrease input length or \`max_tokens\` and try again`;
}

const READ_CHARS = 2_048;
const WINDOW = /maximum context length (?:is|of) (\d{1,9})\b/i;
const INPUT =
  /\b(\d{1,9}) (?:tokens )?(?:in the (?:messages|functions|prompt)|(?:of|from) (?:the )?(?:\w{1,9} )?input|input tokens)\b/gi;
const OUTPUT =
  /\b(\d{1,9}) (?:tokens )?(?:(?:in|for) the (?:completion|output)|output tokens)\b|\btoo large: (\d{1,9})\b/i;

/** The counts in the words of OpenAI, OpenRouter and vLLM; null unless the input alone would fit. */
function countsIn(
  words: string,
): { readonly input: number; readonly output: number; readonly window: number } | null {
  const window = Number(WINDOW.exec(words)?.[1] ?? 0);
  const [, first, second = first] = OUTPUT.exec(words) ?? [];
  const output = Number(second ?? 0);
  const input = [...words.matchAll(INPUT)].reduce((sum, [, count]) => sum + Number(count), 0);
  const isNoRoom = input > 0 && output > 0 && input < window && input + output > window;
  return isNoRoom ? { input, output, window } : null;
}
