/** One call of a provider's embeddings. Its errors become ours; nothing of its text but a short part is told. */
import { z } from 'zod';
import { type ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { wasNeverSent } from '../../../contracts/may-be-billed.ts';
import { readText } from '../../../contracts/read-text.ts';
import { redact } from '../../../contracts/redact.ts';
import type { EmbeddingsRequest, EmbeddingsTarget } from './request.ts';

const MESSAGE_CHARS = 300;

const answerSchema = z.looseObject({
  object: z.literal('list'),
  data: z.array(z.unknown()),
  usage: z.looseObject({ prompt_tokens: z.int().nonnegative() }).optional(),
});
export type EmbeddingsAnswer = z.infer<typeof answerSchema>;

export type Forwarded =
  | { readonly answer: EmbeddingsAnswer }
  /** `mayBeBilled`: the call has left, and the provider did not refuse it. */
  | { readonly answer: null; readonly error: UnbrokenError; readonly mayBeBilled: boolean };

export async function forwardEmbeddings(
  { baseUrl, secret, secrets, model }: EmbeddingsTarget,
  { input, dimensions, encoding_format }: EmbeddingsRequest,
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
      body: JSON.stringify({
        model,
        input,
        ...(dimensions === null || dimensions === undefined ? {} : { dimensions }),
        ...(encoding_format === null || encoding_format === undefined ? {} : { encoding_format }),
      }),
      signal: AbortSignal.timeout(LIMITS.embeddingsMs),
    });
    text = response.ok ? await response.text() : await readText(response, LIMITS.errorBodyBytes);
  } catch (error) {
    const said = 'The provider cannot be reached, or did not answer in time.';
    const failure = new UnbrokenError('provider_connect_failed', said, { cause: error });
    return { answer: null, error: failure, mayBeBilled: !wasNeverSent(error) };
  }
  if (!response.ok)
    return { answer: null, error: refusalOf(response, redact(text, secrets)), mayBeBilled: false };
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (parsed.success) return { answer: parsed.data };
  const malformed = new UnbrokenError('provider_malformed', 'The provider sent no list of vectors.');
  return { answer: null, error: malformed, mayBeBilled: true };
}

function refusalOf({ status, headers }: Response, text: string): UnbrokenError {
  // Vendors quote the refused key, in forms that no pattern knows.
  const message = status === 401 ? 'The provider refused its API key.' : messageIn(text);
  const waitSeconds = Number(headers.get('retry-after') ?? Number.NaN);
  return new UnbrokenError(
    codeOf(status),
    `${status}: ${message.replace(new RegExp(`^${status}[:\\s]+`), '')}`,
    {
      ...(Number.isFinite(waitSeconds) ? { retryAfterMs: waitSeconds * 1_000 } : {}),
    },
  );
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'provider_auth';
  if (status === 404) return 'model_not_found';
  if (status === 429) return 'provider_rate_limited';
  return status < 500 ? 'provider_bad_request' : 'provider_unavailable';
}

function messageIn(text: string): string {
  const known = z.object({ error: z.object({ message: z.string() }) }).safeParse(jsonOf(text));
  return (known.success ? known.data.error.message : text).slice(0, MESSAGE_CHARS);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
