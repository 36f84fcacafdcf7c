/** Calls the embeddings API of a provider. Maps its errors to ours, with at most a short part of its text. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { wasNeverSent } from '../../../contracts/may-be-billed.ts';
import { readText } from '../../../contracts/read-text.ts';
import { redact } from '../../../contracts/redact.ts';
import type { EmbeddingsRequest, EmbeddingsTarget } from './request.ts';

const MESSAGE_CHARS = 300;
const FIRST_PAUSE_MS = 100;

const answerSchema = z.looseObject({
  object: z.literal('list'),
  data: z.array(z.unknown()),
  usage: z.looseObject({ prompt_tokens: z.int().nonnegative() }).optional(),
});
export type EmbeddingsAnswer = z.infer<typeof answerSchema>;

type Forwarded =
  | { readonly answer: EmbeddingsAnswer }
  /** `mayBeBilled`: the call was sent, and the provider did not refuse it. */
  | { readonly answer: null; readonly error: UnbrokenError; readonly mayBeBilled: boolean };

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
    const forwarded = await callEmbeddings(target, keys[(attempt - 1) % keys.length], request);
    if (forwarded.answer !== null || forwarded.mayBeBilled || attempt >= attempts) return forwarded;
    const { code, entry, retryAfterMs } = forwarded.error;
    const hasOtherKey = attempt < keys.length;
    const mayRepeat = entry.retryable || (hasOtherKey && code === 'provider_auth');
    const waitMs = hasOtherKey ? 0 : (retryAfterMs ?? FIRST_PAUSE_MS * 2 ** attempt);
    if (!mayRepeat || waitMs > LIMITS.shortWaitMs) return forwarded;
    await pause(waitMs);
  }
}

async function callEmbeddings(
  { baseUrl, secrets, model }: EmbeddingsTarget,
  secret: string | undefined,
  { model: _model, user: _user, ...fields }: EmbeddingsRequest,
): Promise<Forwarded> {
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
  if (!response.ok)
    return { answer: null, error: embeddingsRefusal(response, redact(text, secrets)), mayBeBilled: false };
  const parsed = answerSchema.safeParse(parseJsonOrNull(text));
  if (parsed.success) return { answer: parsed.data };
  const malformed = new UnbrokenError('provider_malformed', 'The provider sent no list of vectors.');
  return { answer: null, error: malformed, mayBeBilled: true };
}

function withoutNulls(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
}

function embeddingsRefusal({ status, headers }: Response, text: string): UnbrokenError {
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
