/** A WebSocket client of `WS /v1/stream` that keeps every frame. */
import { once } from 'node:events';
import WebSocket from 'ws';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { ClientFrame, ServerFrame } from '../../contracts/websocket.ts';
import type { UnbrokenApi } from './unbroken-api.ts';

export interface StreamSocket {
  readonly frames: readonly ServerFrame[];
  send(frame: ClientFrame): void;
  /** The events of one generation, in the order in which they came. */
  events(generationId: string): GenerationEvent[];
  close(): Promise<void>;
}

export async function openStreamSocket(api: UnbrokenApi): Promise<StreamSocket> {
  const socket = new WebSocket(`${api.url.replace(/^http/, 'ws')}/v1/stream`, {
    headers: { authorization: `Bearer ${api.key}` },
  });
  const frames: ServerFrame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as ServerFrame));
  await once(socket, 'open');
  return {
    frames,
    send: (frame) => socket.send(JSON.stringify(frame)),
    events: (generationId) =>
      frames.flatMap((frame) =>
        frame.type === 'event' && frame.generationId === generationId ? [frame.event] : [],
      ),
    close: async () => {
      const closed = once(socket, 'close');
      socket.terminate();
      await closed;
    },
  };
}
