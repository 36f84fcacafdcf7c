/** Backpressure of a connection. Only its own buffer (`writableHighWaterMark`) waits for a slow client. */
import type { Writable } from 'node:stream';

export interface ConnectionFlow {
  ready(): boolean;
  /** Resolves with true when it takes more again, with false when it is closed. */
  whenReady(): Promise<boolean>;
}

/** Create one per connection: all waits for it share two listeners. */
export function createConnectionFlow(connection: Writable): ConnectionFlow {
  let waiting: PromiseWithResolvers<boolean> | null = null;
  const isGone = () => connection.destroyed || connection.writableEnded;
  const wake = () => {
    waiting?.resolve(!isGone());
    waiting = null;
  };
  // A connection that closes emits no `drain`.
  connection.on('drain', wake);
  connection.on('close', wake);
  return {
    ready: () => !connection.writableNeedDrain && !isGone(),
    whenReady: () => {
      if (isGone() || !connection.writableNeedDrain) return Promise.resolve(!isGone());
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
  };
}
