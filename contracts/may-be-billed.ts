/** Whether a provider may bill a failed call. In doubt it may. */
import type { ErrorCode, UnbrokenError } from './errors.ts';

/** Errors that do not show whether the provider accepted the call. Any other error without an answer is a refusal. */
const UNSURE: ReadonlySet<ErrorCode> = new Set([
  'provider_first_token_timeout',
  'provider_stream_cut',
  'provider_stalled',
  'provider_malformed',
  'provider_empty',
  'provider_response_lost',
]);

/** @param error of a call of which nothing was received. False: the provider refused it, or it was never sent. */
export function mayBeBilled({ code, details }: UnbrokenError): boolean {
  return UNSURE.has(code) || details?.['sent'] === true;
}

/** Connection failures before any request was sent. After any other, the provider may have accepted the call. */
const NEVER_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;

export function wasNeverSent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && NEVER_SENT.test(error.code)) return true;
  if (error instanceof AggregateError && error.errors.some(wasNeverSent)) return true;
  return wasNeverSent(error.cause);
}
