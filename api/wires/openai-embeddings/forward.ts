/** Calls the embeddings API of a provider. Maps its errors to ours, with at most a short part of its text. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { wasNeverSent } from '../../../contracts/may-be-billed.ts';
import { readText } from '../../../contracts/read-text.ts';
import { redact } from '../../../contracts/redact.ts';
import { plainRequest } from './plain-request.ts';
import { type EmbeddingsAnswer, readAnswer } from './read-answer.ts';
import type { EmbeddingsRequest, EmbeddingsTarget } from './request.ts';

const MESSAGE_CHARS = 300;
const FIRST_PAUSE_MS = 100;

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
    const mayRepeat = entry.retryable || (hasOtherKey && code === 'provider_auth');
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
    response = await fetch(`${baseUrl}/embeddings`, {
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
    const message = 'The provider cannot be reached, or did not answer in time.';
    const failure = new UnbrokenError('provider_connect_failed', message, { cause: error });
    return { answer: null, error: failure, mayBeBilled: !wasNeverSent(error) };
  }
  const value = parseJsonOrNull(text);
  const answer = response.ok ? readAnswer(value, wanted) : null;
  if (answer !== null) return { answer };
  const { headers } = response;
  const status = response.ok ? statusInBody(value) : response.status;
  if (status !== null) {
    const refusal = redact(text, secrets);
    return {
      answer: null,
      error: embeddingsRefusal({ status, headers }, refusal),
      mayBeBilled: false,
      refusal,
    };
  }
  const malformed = new UnbrokenError('provider_malformed', 'The provider sent no list of vectors.');
  return { answer: null, error: malformed, mayBeBilled: true };
}

function withoutNulls(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}

const errorSchema = z.object({
  error: z.union([
    z.string(),
    z.looseObject({ code: z.unknown().optional(), status: z.unknown().optional() }),
  ]),
});

/** Some gateways send the error of the vendor behind them with status 200. @returns null if it is no error. */
function statusInBody(value: unknown): number | null {
  const { data } = errorSchema.safeParse(value);
  if (data === undefined) return null;
  const { code, status } = typeof data.error === 'string' ? {} : data.error;
  const numbers = [code, status].map(Number);
  return numbers.find((number) => Number.isInteger(number) && number >= 400 && number < 600) ?? 400;
}

function embeddingsRefusal(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  text: string,
): UnbrokenError {
  // Vendors quote the refused key in forms that no redaction pattern covers.
  const message = status === 401 ? 'The provider refused its API key.' : refusalMessage(text);
  const waitSeconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new UnbrokenError(
    refusalCode(status),
    `${status}: ${message.replace(new RegExp(`^${status}[:\\s]+`), '')}`,
    {
      ...(Number.isFinite(waitSeconds) ? { retryAfterMs: waitSeconds * 1_000 } : {}),
    },
  );
}

function refusalCode(status: number): ErrorCode {
  if (status === 401) return 'provider_auth';
  if (status === 404) return 'model_not_found';
  if (status === 429) return 'provider_rate_limited';
  return status < 500 ? 'provider_bad_request' : 'provider_unavailable';
}

function refusalMessage(text: string): string {
  const parsed = z.object({ error: z.object({ message: z.string() }) }).safeParse(parseJsonOrNull(text));
  return (parsed.success ? parsed.data.error.message : text).slice(0, MESSAGE_CHARS);
}

function parseJsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
