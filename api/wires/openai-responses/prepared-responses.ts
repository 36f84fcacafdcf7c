/**
 * The responses that one WebSocket has prepared (`generate: false`). They live in memory, for this socket only. The
 * oldest are dropped when there are too many, or too many bytes.
 */
import type { Message } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';

const MAX_RESPONSES = 256;

export class PreparedResponses {
  readonly #messages = new Map<string, { readonly messages: readonly Message[]; readonly bytes: number }>();
  #bytes = 0;

  get(id: string): readonly Message[] | undefined {
    return this.#messages.get(id)?.messages;
  }

  /** @throws body_too_large for a conversation that exceeds the limit alone. */
  add(id: string, messages: readonly Message[]): void {
    const bytes = Buffer.byteLength(JSON.stringify(messages));
    const maxBytes = LIMITS.preparedBytesPerSocket;
    if (bytes > maxBytes) {
      throw new UnbrokenError('body_too_large', `A socket keeps ${maxBytes} bytes of prepared responses.`);
    }
    this.#messages.set(id, { messages, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#messages) {
      if (this.#bytes <= maxBytes && this.#messages.size <= MAX_RESPONSES) return;
      this.#messages.delete(oldest);
      this.#bytes -= freed;
    }
  }
}
