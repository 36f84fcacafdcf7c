/** Whether a connection takes more. Its own buffer (`writableHighWaterMark`) is all that waits for a slow client. */
import type { Writable } from 'node:stream';

export interface ConnectionFlow {
  ready(): boolean;
  /** Resolves with true when it takes more again, with false when it is gone. */
  whenReady(): Promise<boolean>;
}

/** One flow per connection: all that wait for it share two listeners. */
export function createConnectionFlow(connection: Writable): ConnectionFlow {
  let waiting: PromiseWithResolvers<boolean> | null = null;
  const isGone = () => connection.destroyed || connection.writableEnded;
  const goOn = () => {
    waiting?.resolve(!isGone());
    waiting = null;
  };
  // `drain` never comes from a client that has gone.
  connection.on('drain', goOn);
  connection.on('close', goOn);
  return {
    ready: () => !connection.writableNeedDrain && !isGone(),
    whenReady: () => {
      if (isGone() || !connection.writableNeedDrain) return Promise.resolve(!isGone());
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
  };
}
