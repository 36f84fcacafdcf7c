/**
 * Maps a vendor's error to one of our codes, and decides whether it concerns the key or this request only. The status
 * alone does not say: vendors also send 403 and 402 for reasons that lie in one request, and then no other caller may
 * be affected. A message may quote the prompt, so only its first words can show that it concerns a key.
 */
import type { ErrorCode, Refusal } from '../../contracts/errors.ts';

export interface VendorRefusal {
  readonly status: number | undefined;
  /** The vendor's own code or type of the error. */
  readonly kind: string;
  readonly message: string;
  /** Whether the answer had started. */
  readonly isStreaming: boolean;
}

/** Vendors' words for an input that is too long; no vendor has a special status for it. */
const TOO_LONG =
  /context_length|context window|context length|context size|prompt is too long|too many tokens|reduce the length|input token count|exceeds the maximum number of tokens/i;
/** No vendor uses these statuses for an input that is too long, so their words do not count. */
const NEVER_TOO_LONG: ReadonlySet<number> = new Set([401, 402, 403, 404, 408, 409, 429, 502, 503, 504, 529]);
/** One request exceeds the limit of a whole minute: no wait would help. */
const LARGER_THAN_LIMIT = /^request too large\b/i;
const THROTTLED = /rate_?limit|throttl|resource_?exhausted|too_many_requests/i;
const FILTERED =
  /content_?filter|content_?policy|policy_violation|content_management|moderation|data_inspection|safety|sensitive/i;
/** A refusal of the content. Applies only to statuses of refusals. */
const ABOUT_CONTENT =
  /\bcontent\b.{0,40}\b(?:polic|filter|violat|moderat|flag|block|guideline|safety|not allowed)|\b(?:polic(?:y|ies)|guidelines?|terms of (?:use|service))\b|\bmoderat(?:ion|ed)\b|\bflagged\b|\bharmful\b|\binappropriate\b|\bprohibited (?:content|use)\b|\bsafety\b/i;
/** An account without money or quota. */
const EXHAUSTED =
  /insufficient_quota|insufficient_balance|insufficient (?:balance|credit|funds)|credit balance is too low|billing_hard_limit|used all available credits|payment required/i;
const MAY_BE_EXHAUSTED: ReadonlySet<number> = new Set([400, 403, 429]);
/** Kinds that vendors use for a key that they do not accept. */
const REJECTED_KIND =
  /invalid_?api_?key|api_?key_?(?:invalid|expired|revoked)|invalid_?authentication|authentication_?error|unauthenticated|unrecognizedclient|expiredtoken|account_?(?:deactivated|suspended|disabled)/i;
/** The first words of messages about such a key. */
const REJECTED_WORDS =
  /^(?:(?:incorrect|invalid|expired|revoked|unknown|missing|bad) (?:x-)?(?:api[ -]?key|bearer token|token|credentials?)\b|(?:your|the|this) (?:api[ -]?key|account|organi[sz]ation|project|team|(?:bearer |security |access )?token|credentials?)\b[^.]{0,60}\b(?:invalid|incorrect|not valid|expired|revoked|deleted|leaked|suspended|disabled|deactivated|terminated|banned)\b|(?:api[ -]?key|bearer token)\b[^.]{0,40}\b(?:invalid|incorrect|not valid|expired|revoked|missing|leaked)\b|authentication failed\b)/i;
/** A valid key without permission for this request. */
const NO_PERMISSION =
  /\b(?:insufficient permissions?|missing scopes?)\b|\bdo(?:es)? ?n[o']t have (?:access|(?:the required )?permission)/i;
const NAMES_KEY = /^(?:your|the|this) (?:api[ -]?key|token|credentials?)\b/i;

export function classifyRefusal(refusal: VendorRefusal): ErrorCode {
  const { status, kind, message, isStreaming } = refusal;
  const words = `${kind} ${message}`;
  // 413: too large as a request, or (Groq) for the tokens of a minute; waiting helps neither.
  if (status === 413 || isTooLong(refusal)) return 'context_length_exceeded';
  if (FILTERED.test(kind)) return 'content_filtered';
  if (/prefill|continue_final_message/i.test(message)) return 'provider_prefill_refused';
  if (status === 402 || isExhausted(refusal)) return 'provider_quota_exhausted';
  if (status === 401) return 'provider_auth';
  if (status === 403) {
    if (isRejection(refusal)) return 'provider_auth';
    if (ABOUT_CONTENT.test(words)) return 'content_filtered';
    return NAMES_KEY.test(message) ? 'provider_auth' : 'provider_bad_request';
  }
  if (status === 429) return 'provider_rate_limited';
  if (status === 408 || status === 409 || (status !== undefined && status >= 500))
    return 'provider_unavailable';
  if (THROTTLED.test(kind)) return 'provider_rate_limited';
  if (/overloaded|server_error|api_error|unavailable|internal/i.test(kind)) return 'provider_unavailable';
  if (status !== undefined) return 'provider_bad_request';
  return isStreaming ? 'provider_stream_cut' : 'provider_connect_failed';
}

/** What a refusal means for other callers: a rejected key is rejected for all, anything else concerns this request. */
export function refusalConcern(refusal: VendorRefusal, code: ErrorCode): Refusal['concerns'] {
  if (code !== 'provider_auth') return 'request';
  const { status, message } = refusal;
  const isKey = isRejection(refusal) || (status === 401 && !NO_PERMISSION.test(message));
  return isKey ? 'key' : 'request';
}

function isTooLong({ status, kind, message }: VendorRefusal): boolean {
  if (status === 429) return LARGER_THAN_LIMIT.test(message);
  if (status !== undefined && NEVER_TOO_LONG.has(status)) return false;
  return !THROTTLED.test(kind) && TOO_LONG.test(`${kind} ${message}`);
}

function isExhausted({ status, kind, message }: VendorRefusal): boolean {
  return (status === undefined || MAY_BE_EXHAUSTED.has(status)) && EXHAUSTED.test(`${kind} ${message}`);
}

function isRejection({ kind, message }: VendorRefusal): boolean {
  return REJECTED_KIND.test(kind) || REJECTED_WORDS.test(message);
}
