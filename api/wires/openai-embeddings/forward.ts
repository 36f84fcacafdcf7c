/** Calls the embeddings API of a provider. Its errors have the codes that those of generations have. */
import { setTimeout as pause } from 'node:timers/promises';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { wasNeverSent } from '../../../contracts/may-be-billed.ts';
import { readText } from '../../../contracts/read-text.ts';
import { redact } from '../../../contracts/redact.ts';
import { toUnbrokenError, WITHOUT_WORDS } from '../../../engine/vendor-errors/http-error.ts';
import { toPresentableError } from '../../../engine/vendor-errors/presentable-error.ts';
import { statusOfErrorBody } from '../../../engine/vendor-errors/vendor-error.ts';
import { fetchAtOrigin } from '../../../platform/fetch-at-origin.ts';
import { plainRequest } from './plain-request.ts';
import { type EmbeddingsAnswer, readAnswer } from './read-answer.ts';
import type { EmbeddingsRequest, EmbeddingsTarget } from './request.ts';

const FIRST_PAUSE_MS = 100;
/** Another key of the same provider may have what this one lacks. */
const OF_ONE_KEY: ReadonlySet<string> = new Set(['provider_auth', 'provider_quota_exhausted']);

type Forwarded =
  | { readonly answer: EmbeddingsAnswer; readonly refusal?: undefined }
  /** `mayBeBilled`: the call was sent, and the provider did not refuse it. */
  | {
      readonly answer: null;
      readonly error: UnbrokenError;
      readonly mayBeBilled: boolean;
      /** The words of the provider. */
      readonly refusal?: string;
    };

/**
 * Calls with one key after the other, and again after a pause, while the provider refuses or cannot be reached: such
 * calls cost nothing. A call that may be billed is not repeated.
 */
export async function forwardEmbeddings(
  target: EmbeddingsTarget,
  request: EmbeddingsRequest,
): Promise<Forwarded> {
  const { keys } = target;
  const attempts = Math.max(keys.length, LIMITS.providerErrorsPerCandidate);
  for (let attempt = 1; ; attempt += 1) {
    const forwarded = await callFitted(target, keys[(attempt - 1) % keys.length], request);
    if (forwarded.answer !== null || forwarded.mayBeBilled || attempt >= attempts) return forwarded;
    const { code, entry, retryAfterMs } = forwarded.error;
    const hasOtherKey = attempt < keys.length;
    const mayRepeat = entry.retryable || (hasOtherKey && OF_ONE_KEY.has(code));
    const waitMs = hasOtherKey ? 0 : (retryAfterMs ?? FIRST_PAUSE_MS * 2 ** attempt);
    if (!mayRepeat || waitMs > LIMITS.shortWaitMs) return forwarded;
    await pause(waitMs);
  }
}

/** Calls again with a plain request where the provider refuses what only some providers take. */
async function callFitted(
  target: EmbeddingsTarget,
  secret: string | undefined,
  request: EmbeddingsRequest,
): Promise<Forwarded> {
  const forwarded = await callEmbeddings(target, secret, request);
  if (forwarded.answer !== null || forwarded.error.code !== 'provider_bad_request') return forwarded;
  const plain = await plainRequest(request, forwarded.refusal ?? '');
  return plain === null ? forwarded : callEmbeddings(target, secret, plain, request);
}

/** @param wanted what the answer is fitted to. */
async function callEmbeddings(
  { baseUrl, secrets, model }: EmbeddingsTarget,
  secret: string | undefined,
  request: EmbeddingsRequest,
  wanted = request,
): Promise<Forwarded> {
  const { model: _model, user: _user, ...fields } = request;
  let response: Response;
  let text: string;
  try {
    response = await fetchAtOrigin(fetch, `${baseUrl}/embeddings`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify({ model, ...withoutNulls(fields) }),
      signal: AbortSignal.timeout(LIMITS.embeddingsMs),
    });
    text = response.ok ? await response.text() : await readText(response, LIMITS.errorBodyBytes);
  } catch (error) {
    if (error instanceof UnbrokenError) return { answer: null, error, mayBeBilled: false };
    const message = 'The provider cannot be reached, or did not answer in time.';
    const failure = new UnbrokenError('provider_connect_failed', message, { cause: error });
    return { answer: null, error: failure, mayBeBilled: !wasNeverSent(error) };
  }
  const answer = response.ok ? readAnswer(parseJsonOrNull(text), wanted) : null;
  if (answer !== null) return { answer };
  // Some gateways send the error of the vendor behind them with status 200.
  const status = response.ok ? statusOfErrorBody(text) : response.status;
  if (status === null) {
    const malformed = new UnbrokenError(
      'provider_malformed',
      'The provider did not send a list with one vector for each input.',
    );
    return { answer: null, error: malformed, mayBeBilled: true };
  }
  const { headers } = response;
  const failure = { status, kind: '', message: WITHOUT_WORDS, headers, errorBody: text, isStreaming: false };
  return {
    answer: null,
    error: toPresentableError(toUnbrokenError(failure), secrets),
    mayBeBilled: false,
    refusal: redact(text, secrets),
  };
}

function withoutNulls(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}

function parseJsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
