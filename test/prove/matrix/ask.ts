/** One call of a caller: on any API, until it is answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectApi } from '../../harness/unbroken-api.ts';

export const AGAIN_MS = 150;
const ANSWER_WITHIN_MS = 8_000;

/** An answer that a proxy before the APIs made, because none of them answered it: a silence of the product. */
export function isOfProxy(status: number, text: string): boolean {
  return status >= 400 && (text.includes('No API answered') || text.startsWith('<html>'));
}

export class Asker {
  /** Answers that were neither a success, nor a clear refusal, nor a 503: each is a fault of the product. */
  readonly unclear: string[] = [];
  readonly #apis: readonly string[];
  #silences = 0;

  constructor(apis: readonly string[]) {
    this.#apis = apis;
  }

  /** Calls that no answer came to. */
  get silences(): number {
    return this.#silences;
  }

  async ask(key: string, path: string, init: RequestInit = {}): Promise<Response> {
    for (let turn = 0; ; turn += 1) {
      const url = this.#apis[turn % this.#apis.length] ?? '';
      try {
        const response = await connectApi(url, key).send(path, {
          ...init,
          signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        });
        // A stream is read by who follows it; any other body is part of the answer, and may be cut like it.
        if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response;
        const text = await response.text();
        if (isOfProxy(response.status, text)) throw new Error(text);
        if (response.status < 500) return new Response(text === '' ? null : text, response);
        if (response.status !== 503) this.unclear.push(`${path}: ${response.status} ${text}`);
        else if (response.headers.get('retry-after') === null)
          this.unclear.push(`${path}: 503 without Retry-After`);
      } catch {
        this.#silences += 1;
      }
      await sleep(AGAIN_MS);
    }
  }
}
