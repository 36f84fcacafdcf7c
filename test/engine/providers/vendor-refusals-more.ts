/** Errors in words and shapes that few vendors use: limits of an account, a room for the answer, and lists. */
import { github, type VendorErrorRow } from './vendor-error-row.ts';

const anthropic = (message: string) => ({ type: 'error', error: { type: 'invalid_request_error', message } });

export const MORE_REFUSALS: readonly VendorErrorRow[] = [
  {
    vendor: 'Anthropic',
    source: github('continuedev/continue/issues/6080'),
    status: 400,
    body: anthropic(
      'input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000, decrease input length or `max_tokens` and try again',
    ),
    code: 'context_length_exceeded',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Cloudflare',
    source: github('PostHog/posthog/issues/76192'),
    status: 400,
    body: {
      errors: [
        {
          code: 5021,
          message:
            'The estimated number of input and maximum output tokens (440123) exceeded this model context window limit (262144)',
        },
      ],
    },
    code: 'context_length_exceeded',
  },
  {
    vendor: 'Anthropic',
    source: github('anthropics/claude-code/issues/38035'),
    status: 400,
    body: anthropic(
      'You have reached your specified API usage limits. You will regain access on 2026-04-01 at 00:00 UTC.',
    ),
    code: 'provider_quota_exhausted',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Anthropic',
    source: github('anthropics/claude-code/issues/19028'),
    status: 400,
    body: anthropic('This organization has been disabled.'),
    code: 'provider_auth',
    concerns: 'key',
    wire: 'anthropic-messages',
  },
  {
    vendor: 'Google',
    source: github('nearai/ironclaw/issues/1521'),
    status: 429,
    body: [
      {
        error: {
          code: 429,
          message: 'Resource exhausted. Please try again later.',
          status: 'RESOURCE_EXHAUSTED',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17s' }],
        },
      },
    ],
    code: 'provider_rate_limited',
    retryAfterMs: 17_000,
    wire: 'google',
  },
  {
    vendor: 'Google',
    source: github('microsoft/vscode/issues/258088'),
    status: 400,
    body: [
      {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
        },
      },
    ],
    code: 'provider_auth',
    concerns: 'key',
    wire: 'google',
  },
];
