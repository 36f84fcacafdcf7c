/**
 * Stops reading a client that does not read our answers to its frames, because those would pile up. Events stop at a
 * lower mark (connection-flow.ts), so a slow viewer can still unsubscribe. `ws` itself limits pongs.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { LIMITS } from '../../contracts/limits.ts';
import { closeStalled } from './socket-route.ts';

/** To be called for each frame. */
export function limitAnswers(ws: WebSocket, connection: Duplex): void {
  if (connection.writableLength <= 2 * LIMITS.viewerBufferBytes || ws.isPaused) return;
  ws.pause();
  const stalled = setTimeout(() => closeStalled(ws), LIMITS.viewerStallMs);
  connection.once('drain', () => {
    clearTimeout(stalled);
    ws.resume();
  });
  connection.once('close', () => clearTimeout(stalled));
}
