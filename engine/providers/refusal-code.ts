/**
 * Which of our codes a vendor's error has, and whether it is about the key or about the one request. A status alone
 * does not say: vendors answer 403 and 402 also to what another request would not get, and then no other caller may
 * feel it. What a message says may quote the prompt, so a message decides about a key only by its first words.
 */
import type { ErrorCode, Refusal } from '../../contracts/errors.ts';

export interface VendorRefusal {
  readonly status: number | undefined;
  /** The vendor's own code or type of the error. */
  readonly kind: string;
  readonly message: string;
  /** Whether the answer had begun. */
  readonly isStreaming: boolean;
}

/** What vendors say of an input that is too long; none has a status of its own for it. */
const TOO_LONG =
  /context_length|context window|context length|context size|prompt is too long|too many tokens|reduce the length|input token count|exceeds the maximum number of tokens/i;
/** Statuses by which no vendor says that an input is too long, whatever words stand beside them. */
const NEVER_TOO_LONG: ReadonlySet<number> = new Set([401, 402, 403, 404, 408, 409, 429, 502, 503, 504, 529]);
/** One request that is larger than a whole minute's limit: it would be refused again after any wait. */
const LARGER_THAN_LIMIT = /^request too large\b/i;
const THROTTLED = /rate_?limit|throttl|resource_?exhausted|too_many_requests/i;
const FILTERED =
  /content_?filter|content_?policy|policy_violation|content_management|moderation|data_inspection|safety|sensitive/i;
/** A refusal of what was said. Read only where the status is one of refusals. */
const ABOUT_CONTENT =
  /\bcontent\b.{0,40}\b(?:polic|filter|violat|moderat|flag|block|guideline|safety|not allowed)|\b(?:polic(?:y|ies)|guidelines?|terms of (?:use|service))\b|\bmoderat(?:ion|ed)\b|\bflagged\b|\bharmful\b|\binappropriate\b|\bprohibited (?:content|use)\b|\bsafety\b/i;
/** An account without money or quota. */
const EXHAUSTED =
  /insufficient_quota|insufficient_balance|insufficient (?:balance|credit|funds)|credit balance is too low|billing_hard_limit|used all available credits|payment required/i;
const MAY_BE_EXHAUSTED: ReadonlySet<number> = new Set([400, 403, 429]);
/** Kinds by which vendors name a key that they do not accept. */
const REJECTED_KIND =
  /invalid_?api_?key|api_?key_?(?:invalid|expired|revoked)|invalid_?authentication|authentication_?error|unauthenticated|unrecognizedclient|expiredtoken|account_?(?:deactivated|suspended|disabled)/i;
/** The first words of a message that says so. */
const REJECTED_WORDS =
  /^(?:(?:incorrect|invalid|expired|revoked|unknown|missing|bad) (?:x-)?(?:api[ -]?key|bearer token|token|credentials?)\b|(?:your|the|this) (?:api[ -]?key|account|organi[sz]ation|project|team|(?:bearer |security |access )?token|credentials?)\b[^.]{0,60}\b(?:invalid|incorrect|not valid|expired|revoked|deleted|leaked|suspended|disabled|deactivated|terminated|banned)\b|(?:api[ -]?key|bearer token)\b[^.]{0,40}\b(?:invalid|incorrect|not valid|expired|revoked|missing|leaked)\b|authentication failed\b)/i;
/** A key that is good, and may not do what was asked. */
const NO_PERMISSION =
  /\b(?:insufficient permissions?|missing scopes?)\b|\bdo(?:es)? ?n[o']t have (?:access|(?:the required )?permission)/i;
const NAMES_KEY = /^(?:your|the|this) (?:api[ -]?key|token|credentials?)\b/i;

export function codeOf(refusal: VendorRefusal): ErrorCode {
  const { status, kind, message, isStreaming } = refusal;
  const said = `${kind} ${message}`;
  // 413: too large as a request, or (Groq) for the tokens of a minute; neither gets better by waiting.
  if (status === 413 || isTooLong(refusal)) return 'context_length_exceeded';
  if (FILTERED.test(kind)) return 'content_filtered';
  if (/prefill/i.test(message)) return 'provider_prefill_refused';
  if (status === 402 || isExhausted(refusal)) return 'provider_quota_exhausted';
  if (status === 401) return 'provider_auth';
  if (status === 403) {
    if (isRejection(refusal)) return 'provider_auth';
    if (ABOUT_CONTENT.test(said)) return 'content_filtered';
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

/** What other callers may learn of a refusal: a rejected key is rejected for all, anything else is this request's. */
export function concernOf(refusal: VendorRefusal, code: ErrorCode): Refusal['concerns'] {
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
