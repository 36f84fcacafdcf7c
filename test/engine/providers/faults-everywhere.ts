/** Faults that are the same whatever the format: the simulated provider shows each in every one of them. */
import type { ErrorCode } from '../../../contracts/errors.ts';

interface FaultCase {
  readonly says: string;
  readonly fault: object;
  readonly code: ErrorCode;
  /** The wait that the error states. */
  readonly retryAfterMs?: number;
  /** Short ones, where the fault is silence. */
  readonly limits?: { readonly firstTokenMs?: number; readonly betweenTokensMs?: number };
  /** How the page says it, where the test's name is not enough. */
  readonly page?: string;
}

export const EVERYWHERE: readonly FaultCase[] = [
  { says: '401', fault: { status: 401 }, code: 'provider_auth' },
  {
    says: '429',
    fault: { status: 429, retryAfterSeconds: 2 },
    code: 'provider_rate_limited',
    retryAfterMs: 2_000,
    page: '429 with Retry-After',
  },
  { says: '500', fault: { status: 500 }, code: 'provider_unavailable' },
  { says: '503', fault: { status: 503 }, code: 'provider_unavailable' },
  { says: '400', fault: { status: 400 }, code: 'provider_bad_request' },
  {
    says: 'reset',
    fault: { kind: 'reset' },
    code: 'provider_connect_failed',
    page: 'the connection is refused, reset, or not established within `limits.connectMs`',
  },
  {
    says: 'no-answer',
    fault: { kind: 'no-answer' },
    limits: { firstTokenMs: 400 },
    code: 'provider_first_token_timeout',
    page: 'no answer within `limits.firstTokenMs`',
  },
  {
    says: 'slow-first-token',
    fault: { kind: 'slow-first-token' },
    limits: { firstTokenMs: 400 },
    code: 'provider_first_token_timeout',
    page: 'a first token later than `limits.firstTokenMs` (`limits.thinkingMs` where the model thinks)',
  },
  {
    says: 'cut',
    fault: { kind: 'cut', afterTokens: 10 },
    code: 'provider_stream_cut',
    page: 'the connection breaks in the middle',
  },
  {
    says: 'stall',
    fault: { kind: 'stall', afterTokens: 10 },
    limits: { betweenTokensMs: 900 },
    code: 'provider_stalled',
    page: 'silence in the middle for `limits.betweenTokensMs`',
  },
  {
    says: 'malformed-chunk',
    fault: { kind: 'malformed-chunk', afterTokens: 10 },
    code: 'provider_malformed',
    page: 'a chunk that cannot be parsed',
  },
  {
    says: 'in-band-error',
    fault: { kind: 'in-band-error', afterTokens: 10 },
    code: 'provider_unavailable',
    page: 'an error in the stream, after content',
  },
  {
    says: 'error-after-first-event',
    fault: { kind: 'error-after-first-event' },
    code: 'provider_unavailable',
    page: 'an error in the stream, before content',
  },
  {
    says: 'missing-terminal',
    fault: { kind: 'missing-terminal' },
    code: 'provider_stream_cut',
    page: 'the body ends without its last event',
  },
  { says: 'empty', fault: { kind: 'empty' }, code: 'provider_empty', page: 'an answer without content' },
  {
    says: 'context-length',
    fault: { kind: 'context-length' },
    code: 'context_length_exceeded',
    page: 'the input is too long for the model',
  },
];
