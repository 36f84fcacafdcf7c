/** Asks once, as a careful client does: an error in the stream is an error, and a chunk that is no JSON is skipped. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { UnbrokenApi } from '../../harness/unbroken-api.ts';
import { ANSWER } from './breaking-upstream.ts';

export interface Seen {
  readonly text: string;
  readonly isWhole: boolean;
  /** null if the answer was presented as complete. */
  readonly error: string | null;
  readonly isHang: boolean;
  readonly model: string | null;
  readonly usage: object | null;
  readonly ms: number;
}

interface Chunk {
  readonly model?: string;
  readonly usage?: object | null;
  readonly error?: { readonly message?: string };
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
}

const PROMPT = 'Explain in exactly sixty words how a gateway earns trust.';

/** @param maxMs after which the request counts as hanging. */
export async function ask(api: UnbrokenApi, model: string, maxMs: number): Promise<Seen> {
  const startedAtMs = Date.now();
  let text = '';
  let error: string | null = null;
  let reported: string | null = null;
  let usage: object | null = null;
  const signal = AbortSignal.timeout(maxMs);
  try {
    const response = await api.send('/v1/chat/completions', {
      method: 'POST',
      signal,
      body: JSON.stringify({
        model,
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: 'user', content: PROMPT }],
      }),
    });
    if (!response.ok || response.body === null) error = `${response.status} ${await response.text()}`;
    else {
      const events = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream());
      for await (const { data } of events) {
        const chunk = data === '[DONE]' ? null : parsed(data);
        if (chunk === null) continue;
        if (chunk.error !== undefined) error = chunk.error.message ?? 'an error without a message';
        reported = chunk.model ?? reported;
        usage = chunk.usage ?? usage;
        text += chunk.choices?.[0]?.delta?.content ?? '';
      }
    }
  } catch (cause) {
    error = cause instanceof Error ? cause.message : String(cause);
  }
  const isWhole = text.replace(/\s+/g, ' ').trim() === ANSWER;
  return {
    text,
    isWhole,
    error,
    isHang: signal.aborted,
    model: reported,
    usage,
    ms: Date.now() - startedAtMs,
  };
}

function parsed(data: string): Chunk | null {
  try {
    return JSON.parse(data) as Chunk;
  } catch {
    return null;
  }
}
