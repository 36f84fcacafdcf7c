/**
 * The open requests, streams and WebSockets of each key at this process. Limits their number, and closes all of a key
 * when it is revoked or expires, because a stream must not outlive the right to read it.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiKeys, Caller } from './api-keys.ts';

export interface OpenConnections {
  /**
   * Counts a connection until `release` is called. Calls `close` when the key becomes invalid.
   * @throws too_many_connections
   */
  admit(caller: Caller, close: () => void): { release(): void };
}

/** Revocations are published at once; this catches lost messages, and keys that expired. */
const RECHECK_MS = 10_000;

export function createOpenConnections(
  keys: Pick<ApiKeys, 'callerOf' | 'onChange'>,
  { connectionsPerKey, onError }: { connectionsPerKey: number; onError: (error: unknown) => void },
): OpenConnections {
  const open = new Map<string, Set<() => void>>();
  const recheck = async (keyId: string): Promise<void> => {
    const closers = open.get(keyId);
    if (closers === undefined || (await keys.callerOf(keyId)) !== null) return;
    for (const close of [...closers]) close();
  };
  keys.onChange((keyId) => void recheck(keyId).catch(onError));
  setInterval(() => {
    for (const keyId of open.keys()) recheck(keyId).catch(onError);
  }, RECHECK_MS).unref();
  return {
    admit({ keyId }, close) {
      const closers = open.get(keyId) ?? new Set();
      if (closers.size >= connectionsPerKey) {
        throw new UnbrokenError(
          'too_many_connections',
          `This key has ${closers.size} connections open here, which is its limit.`,
        );
      }
      // Each connection needs a separate function, because two may pass the same `close`.
      const closer = () => close();
      open.set(keyId, closers.add(closer));
      return {
        release: () => {
          closers.delete(closer);
          if (closers.size === 0 && open.get(keyId) === closers) open.delete(keyId);
        },
      };
    },
  };
}
