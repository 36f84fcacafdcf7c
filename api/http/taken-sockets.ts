/** The sockets whose answer continues for the client after its end for Node (api/relay/event-connection.ts). */
import type { Duplex } from 'node:stream';

const taken = new Set<Duplex>();
let emptied: PromiseWithResolvers<void> | null = null;

export function takeSocket(socket: Duplex): void {
  taken.add(socket);
}

/** @returns whether it was taken. */
export function giveBack(socket: Duplex): boolean {
  const wasTaken = taken.delete(socket);
  if (taken.size === 0) {
    emptied?.resolve();
    emptied = null;
  }
  return wasTaken;
}

/** Whether anything that Node wrote to this socket now would be read as a part of the stream. */
export function isTaken(socket: Duplex): boolean {
  return taken.has(socket);
}

/** Resolves when no socket is taken. Node takes them for idle, and closes those when its server closes. */
export function allGivenBack(): Promise<void> {
  if (taken.size === 0) return Promise.resolve();
  emptied ??= Promise.withResolvers();
  return emptied.promise;
}
