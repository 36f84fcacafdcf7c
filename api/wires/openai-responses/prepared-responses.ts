/**
 * The responses that one WebSocket has prepared (`generate: false`). They live in memory, for this socket only. The
 * oldest are dropped when there are too many, or too many bytes.
 */
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { ResponseHistory } from './request.ts';

const MAX_RESPONSES = 256;

export class PreparedResponses {
  readonly #histories = new Map<string, { readonly history: ResponseHistory; readonly bytes: number }>();
  #bytes = 0;

  get(id: string): ResponseHistory | undefined {
    return this.#histories.get(id)?.history;
  }

  /** @throws body_too_large for a conversation that exceeds the limit alone. */
  add(id: string, history: ResponseHistory): void {
    const bytes = Buffer.byteLength(JSON.stringify(history));
    const maxBytes = LIMITS.preparedBytesPerSocket;
    if (bytes > maxBytes) {
      throw new UnbrokenError('body_too_large', `A socket keeps ${maxBytes} bytes of prepared responses.`);
    }
    this.#histories.set(id, { history, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#histories) {
      if (this.#bytes <= maxBytes && this.#histories.size <= MAX_RESPONSES) return;
      this.#histories.delete(oldest);
      this.#bytes -= freed;
    }
  }
}
