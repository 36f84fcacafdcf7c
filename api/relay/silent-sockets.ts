/**
 * Ends the sockets of clients that vanished, such as a laptop that was shut, when they answer no ping: TCP would keep
 * them for ever. A slow client is not ended, because it still drains its buffer. One timer checks all sockets.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

interface Checked {
  readonly connection: Socket;
  heardBytes: number;
  hasDrained: boolean;
}

export class SilentSockets {
  readonly #checked = new Map<WebSocket, Checked>();

  /** @param silentMs for which a client may neither send nor take anything; it is ended within twice that time. */
  constructor(silentMs: number) {
    setInterval(() => {
      for (const [ws, checked] of this.#checked) this.#check(ws, checked);
    }, silentMs).unref();
  }

  watch(ws: WebSocket, connection: Socket): void {
    const checked = { connection, heardBytes: connection.bytesRead, hasDrained: true };
    connection.on('drain', () => {
      checked.hasDrained = true;
    });
    this.#checked.set(ws, checked);
  }

  #check(ws: WebSocket, checked: Checked): void {
    const { connection, heardBytes, hasDrained } = checked;
    if (ws.readyState === ws.CLOSED) {
      this.#checked.delete(ws);
      return;
    }
    if (!hasDrained && connection.bytesRead === heardBytes) ws.terminate();
    checked.hasDrained = false;
    checked.heardBytes = connection.bytesRead;
    if (ws.readyState === ws.OPEN) ws.ping();
  }
}
