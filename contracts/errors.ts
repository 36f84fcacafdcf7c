/**
 * The one table of errors. It drives retry (activities), fallback (workflow), HTTP status (api) and the pages in
 * docs/errors. A code is never renamed: clients match on it.
 */
import { LIMITS } from './limits.ts';
import { utf8BytesOf } from './utf8.ts';

interface ErrorEntry {
  /** HTTP status that a client sees when the generation or request ends with this error. */
  readonly status: number;
  /** Whether the same candidate is worth another attempt. */
  readonly retryable: boolean;
  /** Whether the next candidate of the route is tried when this one has failed for good. */
  readonly fallback: boolean;
  /** What to do about it, in one sentence. */
  readonly fix: string;
}

/** An error that ends the generation or the request. */
const final = (status: number, fix: string): ErrorEntry => {
  return { status, retryable: false, fallback: false, fix };
};
/** Another attempt may succeed, at no other candidate than this one. */
const ours = (status: number, fix: string): ErrorEntry => {
  return { status, retryable: true, fallback: false, fix };
};
/** The candidate has failed for good; the next one may succeed. */
const fallback = (status: number, fix: string): ErrorEntry => {
  return { status, retryable: false, fallback: true, fix };
};
/** Another attempt may succeed, and so may the next candidate. */
const passing = (status: number, fix: string): ErrorEntry => {
  return { status, retryable: true, fallback: true, fix };
};

export const ERRORS = {
  // The request
  invalid_request: final(400, 'Correct the field that the message names; GET /openapi.json has the schema.'),
  invalid_json: final(400, 'Send one JSON object, encoded as UTF-8.'),
  body_too_large: final(413, 'Send a shorter input; the limit is in the message.'),
  request_timeout: final(408, 'Send the whole request within the limits of http in unbroken.config.yaml.'),
  headers_too_large: final(431, 'Send fewer or shorter headers; the limit is in the message.'),
  unsupported_media_type: final(415, 'Send the header Content-Type: application/json.'),
  unauthorized: final(
    401,
    'Send the header Authorization: Bearer <key>; npm start prints a development key.',
  ),
  forbidden: final(403, 'Use a key that has the scope that the message names.'),
  not_found: final(
    404,
    'Check the path and the id; a generation is visible only to the tenant that made it.',
  ),
  method_not_allowed: final(405, 'Use one of the methods in the Allow header.'),
  model_not_found: final(404, 'Use a model or route that unbroken.config.yaml names.'),
  prompt_not_found: final(404, 'Name a prompt, version or label that exists; GET /v1/prompts lists them.'),
  prompt_variables_invalid: final(
    400,
    'Send every variable that the prompt declares, and no other, none over its maxChars.',
  ),
  pipeline_not_found: final(
    404,
    'Name a pipeline, version or label that exists; GET /v1/pipelines lists them.',
  ),
  job_conflict: final(
    409,
    'Read the job with GET /v1/jobs/:id: its state does not allow this, or not any more.',
  ),
  batch_conflict: final(
    409,
    'Read the batch: its state does not allow this, or not any more; or another file or batch still needs this.',
  ),
  job_step_failed: final(
    502,
    'Read the error of the step; POST /v1/jobs/:id/rerun repeats it, and keeps what the steps before it made.',
  ),
  job_rejected: final(
    409,
    'A person rejected a step, or did not decide in time; change what they rejected, and rerun the job from there.',
  ),
  job_timeout: final(504, 'Give the job or the step a later deadlineMs, and rerun it from that step.'),
  job_budget_exceeded: final(
    429,
    'Raise maxCostMicroUsd of the job or the step, or lower maxOutputTokens, and rerun it from that step.',
  ),
  job_too_large: final(
    413,
    'Split the job: the message names the limit on its items, its generations or its values.',
  ),
  not_continuable: final(
    409,
    'Only an answer that was cut at its length limit (finishReason: length) can be continued.',
  ),
  conversation_locked: final(
    409,
    'Wait for the response that the message names, or cancel it; then send the request again.',
  ),
  idempotency_conflict: final(409, 'Use a new Idempotency-Key for a different request.'),
  cursor_expired: final(410, 'The log is past its retention; read the result from your own store.'),
  log_tail_lost: final(
    409,
    'Read the generation again from the beginning (after=-1); the events that you have may no longer be those of the log.',
  ),
  cursor_invalid: final(400, 'Use the last seq that you received, a whole number from -1.'),
  text_voided: final(
    409,
    'Send the request again with the same Idempotency-Key: it returns the new text from its beginning.',
  ),
  too_many_subscriptions: final(429, 'Open another socket, or unsubscribe from finished generations.'),
  rate_limited: final(
    429,
    'Wait for the time in Retry-After, or have rateLimits of unbroken.config.yaml raised.',
  ),
  too_many_connections: final(
    429,
    'Close connections that are not needed; one WebSocket follows many generations.',
  ),
  too_many_bytes: final(
    429,
    'Send fewer large requests at once, or have rateLimits.bytesInFlightPerKey of unbroken.config.yaml raised.',
  ),
  storage_exceeded: final(
    429,
    'Wait until the retention of older generations ends, send shorter inputs, or have storage.bytesPerTenant raised.',
  ),
  budget_exceeded: final(429, 'Wait until the budget resets, or have it raised.'),
  cancelled: final(499, 'The caller cancelled this generation.'),
  service_unavailable: ours(503, 'Try again after the time in Retry-After.'),
  internal: ours(500, 'Report it with the generation id.'),
  // The provider
  provider_rate_limited: passing(429, 'Wait, add keys, or add a candidate to the route.'),
  provider_full: passing(
    429,
    'Every key of the provider is at its limit; the generation waits, or add keys or a candidate.',
  ),
  provider_circuit_open: fallback(
    503,
    'The provider fails too often and is not called for some seconds; add a candidate to the route.',
  ),
  provider_unavailable: passing(502, 'The provider failed; add a candidate to the route.'),
  provider_connect_failed: passing(502, 'Check the base URL of the provider and the network.'),
  provider_first_token_timeout: fallback(504, 'The provider was silent; add a candidate or raise the limit.'),
  provider_stalled: passing(504, 'The provider stopped in the middle; the generation resumes automatically.'),
  provider_stream_cut: passing(
    502,
    'The connection broke in the middle; the generation resumes automatically.',
  ),
  provider_response_lost: passing(
    502,
    'The provider lost the running response; the generation continues from the delivered text.',
  ),
  provider_malformed: passing(502, 'The provider sent what its format does not allow.'),
  provider_empty: passing(502, 'The provider ended without an answer.'),
  provider_quota_exhausted: fallback(
    502,
    'The account of the provider has no money or quota left; add some, or another key.',
  ),
  provider_auth: fallback(502, 'Check the API key of the provider.'),
  provider_bad_request: fallback(400, 'The provider refused the request; see the message.'),
  provider_model_not_found: fallback(
    404,
    'The provider has no such model, or not for this account; GET /v1/models lists what is known.',
  ),
  unsupported_by_model: fallback(
    400,
    'Leave out what the message names, or use a model that takes it; GET /v1/models says which do.',
  ),
  provider_prefill_refused: passing(400, 'The model takes no prefill; it is asked to continue instead.'),
  output_invalid: passing(
    422,
    'The answer does not fit the schema of the request; raise outputCheck.attempts, or use another model.',
  ),
  attempt_interrupted: passing(
    502,
    'The worker that read the provider ended; another one resumes the generation.',
  ),
  context_length_exceeded: fallback(400, 'Shorten the input or use a model with a larger context window.'),
  content_filtered: final(400, 'Change the input; the content policy of the provider rejects it.'),
  generation_timeout: final(504, 'The generation took longer than its limit; raise it or ask for less.'),
  all_candidates_failed: final(502, 'Every candidate of the route failed; the attempts say why.'),
  input_lost: final(500, 'The stored input is gone; send the request again with a new key.'),
} as const satisfies Record<string, ErrorEntry>;

/** The message of `generation_timeout`: the workflow and an attempt may both notice it. */
export const TIMEOUT_MESSAGE = 'The generation took longer than its limit.';

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  /** Page that explains the code. */
  readonly doc: string;
}

export function docPage(code: ErrorCode): string {
  return `/docs/errors/${code}`;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

const CUT = '...';

/** An error may quote what a caller sent, such as a megabyte in place of a key. */
function cutText(text: string): string {
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  if (text.length * 3 <= LIMITS.errorMessageBytes) return text;
  let bytes = 0;
  let units = 0;
  let kept = 0;
  for (const character of text) {
    bytes += utf8BytesOf(character.codePointAt(0) ?? 0);
    if (bytes > LIMITS.errorMessageBytes) return `${text.slice(0, kept)}${CUT}`;
    units += character.length;
    if (bytes <= LIMITS.errorMessageBytes - CUT.length) kept = units;
  }
  return text;
}

type Details = Readonly<Record<string, string | number | boolean>>;

function cutDetails(details: Details): Details {
  return Object.fromEntries(
    Object.entries(details).map(([name, value]) => [
      name,
      typeof value === 'string' ? cutText(value) : value,
    ]),
  );
}

/** What a provider's refusal is about. Only a refusal of the key itself may keep other callers from using that key. */
export interface Refusal {
  /** HTTP status of the provider's answer; null if it came inside a stream. */
  readonly status: number | null;
  /** `key`: the key is rejected, whatever is asked. `request`: another request may be answered. */
  readonly concerns: 'key' | 'request';
}

/** The only error class that crosses folders. `retryAfterMs`: how long the other side asked us to wait. */
export class UnbrokenError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  /** Present if a provider refused the call. */
  readonly refusal: Refusal | undefined;
  /** Small, safe facts for the reader; never a secret, never prompt text. */
  readonly details: Readonly<Record<string, string | number | boolean>> | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    extra: {
      retryAfterMs?: number | undefined;
      refusal?: Refusal | undefined;
      details?: Record<string, string | number | boolean> | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(cutText(message), { cause: extra.cause });
    this.name = 'UnbrokenError';
    this.code = code;
    this.retryAfterMs = extra.retryAfterMs;
    this.refusal = extra.refusal;
    this.details = extra.details === undefined ? undefined : cutDetails(extra.details);
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }

  toBody(): ErrorBody & { details?: Readonly<Record<string, string | number | boolean>> } {
    return {
      code: this.code,
      message: this.message,
      doc: docPage(this.code),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
