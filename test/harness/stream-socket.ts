/** A WebSocket client of `WS /v1/stream` that keeps every frame. */
import { once } from 'node:events';
import WebSocket from 'ws';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ClientFrame, ServerFrame } from '../../contracts/websocket.ts';

export interface StreamSocket {
  readonly frames: readonly ServerFrame[];
  isOpen(): boolean;
  send(frame: ClientFrame): void;
  /** The events of one generation, in the order in which they came. */
  events(generationId: string): GenerationEvent[];
  close(): Promise<void>;
}

/** By a key, or as a browser by a ticket. */
type SocketTarget = { readonly url: string } & ({ readonly key: string } | { readonly ticket: string });

export async function openStreamSocket(
  target: SocketTarget,
  options: WebSocket.ClientOptions = {},
): Promise<StreamSocket> {
  const query = 'ticket' in target ? `?ticket=${target.ticket}` : '';
  const socket = new WebSocket(`${target.url.replace(/^http/, 'ws')}/v1/stream${query}`, {
    ...options,
    ...('key' in target ? { headers: { authorization: `Bearer ${target.key}` } } : {}),
  });
  const frames: ServerFrame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as ServerFrame));
  await once(socket, 'open');
  // A connection that breaks is closed as well, which is what callers look at.
  socket.on('error', () => socket.terminate());
  return {
    frames,
    isOpen: () => socket.readyState === socket.OPEN,
    send: (frame) => socket.send(JSON.stringify(frame)),
    events: (generationId) =>
      frames.flatMap((frame) =>
        frame.type === 'event' && frame.generationId === generationId ? [frame.event] : [],
      ),
    close: async () => {
      if (socket.readyState === socket.CLOSED) return;
      const closed = once(socket, 'close');
      socket.terminate();
      await closed;
    },
  };
}
