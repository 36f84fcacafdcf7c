/** The sockets whose answer continues for the client after its end for Node (api/relay/event-connection.ts). */
import type { Duplex } from 'node:stream';

/** Those whose stream has not ended yet. */
const streaming = new Set<Duplex>();
/** With those whose client does not have the end of its stream yet. */
const taken = new Set<Duplex>();
let emptied: PromiseWithResolvers<void> | null = null;

export function takeSocket(socket: Duplex): void {
  streaming.add(socket);
  taken.add(socket);
}

/** Called with the last byte of the stream: what Node writes from now on comes after it. */
export function endStream(socket: Duplex): void {
  streaming.delete(socket);
}

export function giveBack(socket: Duplex): void {
  streaming.delete(socket);
  taken.delete(socket);
  if (taken.size > 0) return;
  emptied?.resolve();
  emptied = null;
}

/** Whether anything that Node wrote to this socket now would be read as a part of the stream. */
export function isStreaming(socket: Duplex): boolean {
  return streaming.has(socket);
}

/** Resolves when no socket is taken. Node takes them for idle, and closes those when its server closes. */
export function allGivenBack(): Promise<void> {
  if (taken.size === 0) return Promise.resolve();
  emptied ??= Promise.withResolvers();
  return emptied.promise;
}
