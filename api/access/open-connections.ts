/**
 * The open requests, streams and WebSockets of each key at this process. Limits their number, and closes those of a
 * secret that is revoked, replaced or expires, because a stream must not outlive the right to read it.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiKeys, Caller } from './api-keys.ts';

/** Revocations are published at once; this catches lost messages, and keys that expired. */
const RECHECK_MS = 10_000;

type ConnectionKeys = Pick<ApiKeys, 'callerOf' | 'onChange'>;

export class OpenConnections {
  readonly #keys: ConnectionKeys;
  readonly #mostPerKey: number;
  readonly #onError: (error: unknown) => void;
  /** Functions that close the open connections, each with the secret by which it came, by the id of their key. */
  readonly #open = new Map<string, Map<() => void, string | undefined>>();

  constructor(
    keys: ConnectionKeys,
    { connectionsPerKey, onError }: { connectionsPerKey: number; onError: (error: unknown) => void },
  ) {
    this.#keys = keys;
    this.#mostPerKey = connectionsPerKey;
    this.#onError = onError;
    keys.onChange((keyId) => this.#recheck(keyId));
    setInterval(() => {
      for (const keyId of this.#open.keys()) this.#recheck(keyId);
    }, RECHECK_MS).unref();
  }

  /**
   * Counts a connection until `release` is called. Calls `close` when the key becomes invalid.
   * @throws too_many_connections
   */
  admit({ keyId, secretHash }: Caller, close: () => void): { release(): void } {
    const closers = this.#open.get(keyId) ?? new Map<() => void, string | undefined>();
    if (closers.size >= this.#mostPerKey) {
      throw new UnbrokenError(
        'too_many_connections',
        `This key has ${closers.size} connections open here, which is its limit.`,
      );
    }
    // Each connection needs a separate function, because two may pass the same `close`.
    const closer = () => close();
    this.#open.set(keyId, closers.set(closer, secretHash));
    return {
      release: () => {
        closers.delete(closer);
        if (closers.size === 0 && this.#open.get(keyId) === closers) this.#open.delete(keyId);
      },
    };
  }

  #recheck(keyId: string): void {
    this.#closeIfInvalid(keyId).catch(this.#onError);
  }

  async #closeIfInvalid(keyId: string): Promise<void> {
    const closers = this.#open.get(keyId);
    for (const secretHash of new Set(closers?.values())) {
      if ((await this.#keys.callerOf(keyId, secretHash)) !== null) continue;
      for (const [close, opened] of [...(closers ?? [])]) if (opened === secretHash) close();
    }
  }
}
