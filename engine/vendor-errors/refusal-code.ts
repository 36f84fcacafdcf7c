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
  /context_length|context window|context length|context[ _]size|context limit|context shift is disabled|(?:prompt|input)(?:[ _](?:is[ _])?)?too[ _]?long|maximum (?:prompt|model) length|max_prompt_tokens_exceeded|too many (?:input )?tokens|reduce the length|(?:input|prompt) token count|exceeds the maximum number of tokens|exceeds (?:the )?max(?:imum)? (?:allowed |input |prompt )?length|exceed(?:s|ed)? (?:the )?(?:model token limit|max message tokens)|input_too_large|tokens_limit_reached|range of input length|must have less than \d+ tokens|`max_new_tokens` must be|max_tokens must be at least 1, got -/i;
/** No vendor uses these statuses for an input that is too long, so their words do not count. */
const NEVER_TOO_LONG: ReadonlySet<number> = new Set([401, 402, 403, 404, 408, 409, 429, 502, 503, 504, 529]);
/** One request exceeds the limit of a whole minute: no wait would help. */
const LARGER_THAN_LIMIT = /^request too large\b/i;
const THROTTLED = /rate_?limit|throttl|resource_?exhausted|too_many_requests|usage_limit_reached/i;
const FILTERED =
  /content_?filter|content_?policy|policy_violation|(?:bio|cyber)_policy|content_management|moderation|data_?inspection|safety|sensitive/i;
/** A refusal of the content. Applies only to statuses of refusals. */
const ABOUT_CONTENT =
  /\bcontent\b.{0,40}\b(?:polic|filter|violat|moderat|flag|block|guideline|safety|not allowed)|\b(?:polic(?:y|ies)|guidelines?|terms of (?:use|service))\b|\bmoderat(?:ion|ed)\b|\bflagged\b|\bharmful\b|\binappropriate\b|\bprohibited (?:content|use)\b|\bsafety\b/i;
/** Other errors have many reasons, so only whole sentences of vendors count. */
const FILTERED_WORDS =
  /DataInspectionFailed|\b(?:may|might) contain (?:inappropriate|sensitive|unsafe) content\b|敏感内容|\bconsidered high risk\b|^Content Exists Risk\b|\b(?:input|output) new_sensitive\b|\bblocked by content filtering policy\b|\bflagged (?:as potentially violating|for possible)\b|\bas a result of our safety system\b|\bpotential violation of our (?:\w+ )?policies\b|\bcontent management policy\b/i;
const MAY_BE_FILTERED: ReadonlySet<number | undefined> = new Set([400, 422, 500, undefined]);
/** An account without money or quota. */
const EXHAUSTED =
  /insufficient_(?:user_)?quota|exceeded_current_quota|quota is not enough|token_quota_failed|insufficient[ _](?:account )?(?:balance|credits?|funds)|not[ _]enough[ _](?:balance|credits?|funds)|credit balance is too low|credits are depleted|balance is insufficient|overdue ?balance|account_?overdue|billing_hard_limit|billing_not_active|check your billing details|billing_error|arrearage|used all available credits|specified (?:\w+ )?api usage limits|spending (?:cap|limit)|budget_exceeded|payment required|usage_not_included|daily free allocation|allocationquota\.freetieronly|free tier of the model has been exhausted|subscription quota exceeded|invalid_payment_instrument|individual quota reached|\b(?:daily|weekly|monthly)\b[^.]{0,20}\busage limit\b|余额不足|额度(?:不足|已用尽)|欠费/i;
/** An account whose limit is 0 for this model (Gemini's free tier, OpenAI): it has no room after any wait. */
const NO_ALLOWANCE = /\blimit:? 0(?![.,]?\d)/i;
/** Alibaba's limits of a minute, which it words like OpenAI's empty account. Source: Model Studio, "Error codes". */
const OF_A_MINUTE = /\bthrottling\.|^allocated quota exceeded\b|error-code#token-limit\b/i;
const MAY_BE_EXHAUSTED: ReadonlySet<number> = new Set([400, 401, 403, 412, 429, 500]);
/** A model that the vendor does not have, or not for this account. A 404 without these words is a wrong base URL. */
const MISSING_KIND =
  /model_?(?:not_?(?:found|available|exist|supported)|decommissioned|deprecated)|invalid_model|deployment_?not_?found/i;
const MISSING_WORDS =
  /^(?:model: \S+$|(?:the |this )?(?:requested |provided )?model\b.{0,200}\b(?:not found|(?:does )?not exist|not available|not supported|not deployed|is invalid|no longer (?:available|supported)|decommissioned|deprecated|retired|end of its life)|no allowed providers\b|invalid model\b|\S+: invalid model name passed\b|models\/\S+ is not found|no endpoints found\b|the '[^']{1,100}' model is not supported\b|you don't have access to the model with the specified model id\b|function '[^']*': not found for account|model use case details have not been submitted for this account\b|your organization must be verified to (?:use|stream)\b|the api deployment\b.{0,60}\bdoes not exist|\S+ is not a valid model)/i;
/**
 * Faults of the provider in spite of their first digit. 424: the model failed (Bedrock). 498: no capacity (Groq). 499:
 * the call was cancelled (Gemini), but not by us.
 */
const PASSING: ReadonlySet<number> = new Set([408, 409, 424, 425, 498, 499]);
const MAY_BE_MISSING: ReadonlySet<number> = new Set([400, 401, 403, 404, 410]);
/** A gateway's words for a fault of the vendor behind it, with whatever status (opencode). */
const UPSTREAM_FAILED = /^error from provider\b[^:]{0,100}: upstream request failed\.?$/i;
const PREFILL = /prefill|continue_final_message/i;
const INVALID_KIND =
  /invalid_?(?:request|argument|parameter|prompt)|bad_?request|unprocessable|validation_?(?:exception|error)|(?:unsupported|unknown|missing_required)_parameter|data_residency_mismatch/i;
/** A fault of an image in the request, which OpenAI finds once the response runs. */
const IMAGE_KIND =
  /\b(?:invalid_(?:base64_)?image|image_(?:too|parse|file)_|unsupported_image|empty_image|failed_to_download_image)/i;
const UNAVAILABLE_KIND = /overloaded|server_?error|api_error|unavailable|internal/i;
/** Kinds that vendors use for a key that they do not accept. */
const REJECTED_KIND =
  /invalid_?api_?key|api_?key_?(?:invalid|expired|revoked)|invalid_?authentication|authentication_?error|unauthenticated|unrecognizedclient|expiredtoken|account_?(?:deactivated|suspended|disabled)|consumer_(?:suspended|invalid)|(?:service|billing)_disabled|api_key_[a-z_]+_blocked|user_project_denied|account_state_invalid|organization_restricted/i;
/** The first words of messages about such a key. */
const REJECTED_WORDS =
  /^(?:(?:incorrect|invalid|expired|revoked|unknown|missing|bad) (?:x-)?(?:api[ -]?key|bearer token|token|credentials?)\b|(?:your|the|this) (?:api[ -]?key|account|organi[sz]ation|project|team|(?:bearer |security |access )?token|credentials?)\b[^.]{0,60}\b(?:invalid|incorrect|not valid|expired|revoked|deleted|leaked|suspended|disabled|deactivated|terminated|banned|denied access)\b|(?:this service|gemini) has been disabled in this account\b|(?:api[ -]?key|bearer token)\b[^.]{0,40}\b(?:invalid|incorrect|not valid|expired|revoked|missing|leaked)\b|authentication failed\b)/i;
/** A valid key without permission for this request. */
const NO_PERMISSION =
  /\b(?:insufficient permissions?|missing scopes?)\b|\bdo(?:es)? ?n[o']t have (?:access|(?:the required )?permission)/i;
/** Words about a key or an account that may still be about one model (NVIDIA). */
const NAMES_KEY =
  /^(?:(?:your|the|this) (?:api[ -]?key|token|credentials?)|authorization failed|oauth authentication)\b/i;
/** Said of a key with a status that has many other reasons (xAI, Anthropic): whole sentences, which quote no prompt. */
const REJECTED_SENTENCE =
  /^(?:incorrect api key provided: \S+ You can obtain|(?:your|the|this) (?:account|organi[sz]ation)\b[^.]{0,40}\b(?:suspended|disabled|deactivated|banned)\b|organization has been restricted\b)/i;

/** By the status first: words decide only among what the status may mean. */
export function classifyRefusal(refusal: VendorRefusal): ErrorCode {
  const { status, kind, message } = refusal;
  // 413: too large as a request, or (Groq) for the tokens of a minute; waiting helps neither.
  if (status === 413 || isTooLong(refusal)) return 'context_length_exceeded';
  if (isExhausted(refusal)) return 'provider_quota_exhausted';
  if (isFiltered(refusal)) return 'content_filtered';
  if (status === undefined) return classifyInBand(refusal);
  // Callers choose the names of models: one that is wrong says nothing about the key.
  if (status === 401) {
    return isMissing(refusal) && !isRejection(refusal) ? 'provider_model_not_found' : 'provider_auth';
  }
  if (UPSTREAM_FAILED.test(message)) return 'provider_unavailable';
  if (status === 403 && isRejection(refusal)) return 'provider_auth';
  if (status === 400 && REJECTED_SENTENCE.test(message)) return 'provider_auth';
  if (status === 429) return 'provider_rate_limited';
  if (PASSING.has(status) || status >= 500) return 'provider_unavailable';
  if (THROTTLED.test(kind)) return 'provider_rate_limited';
  if (isMissing(refusal)) return 'provider_model_not_found';
  if (status === 403) return NAMES_KEY.test(message) ? 'provider_auth' : 'provider_bad_request';
  return PREFILL.test(message) ? 'provider_prefill_refused' : 'provider_bad_request';
}

/** An error inside a stream has only its kind. */
function classifyInBand({ kind, message, isStreaming }: VendorRefusal): ErrorCode {
  if (PREFILL.test(message)) return 'provider_prefill_refused';
  if (REJECTED_KIND.test(kind)) return 'provider_auth';
  if (THROTTLED.test(kind)) return 'provider_rate_limited';
  if (UNAVAILABLE_KIND.test(kind)) return 'provider_unavailable';
  if (MISSING_KIND.test(kind)) return 'provider_model_not_found';
  if (INVALID_KIND.test(kind) || IMAGE_KIND.test(kind)) return 'provider_bad_request';
  return isStreaming ? 'provider_unavailable' : 'provider_connect_failed';
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
  if (status === 402 || (status === 429 && NO_ALLOWANCE.test(message))) return true;
  if (status === 429 && (OF_A_MINUTE.test(kind) || OF_A_MINUTE.test(message))) return false;
  return (status === undefined || MAY_BE_EXHAUSTED.has(status)) && EXHAUSTED.test(`${kind} ${message}`);
}

function isFiltered(refusal: VendorRefusal): boolean {
  const { status, kind, message } = refusal;
  if (FILTERED.test(kind)) return true;
  if (status === 403) return !isRejection(refusal) && ABOUT_CONTENT.test(`${kind} ${message}`);
  return MAY_BE_FILTERED.has(status) && FILTERED_WORDS.test(message);
}

function isMissing({ status, kind, message }: VendorRefusal): boolean {
  if (status === undefined || !MAY_BE_MISSING.has(status)) return false;
  return MISSING_KIND.test(kind) || MISSING_WORDS.test(message);
}

function isRejection({ kind, message }: VendorRefusal): boolean {
  return REJECTED_KIND.test(kind) || REJECTED_WORDS.test(message);
}
