/** Shuts an HTTP server down: it accepts nothing new, and open requests run to their end. */
import type { Server } from 'node:http';

/**
 * Resolves when the last response has ended, or after `limitMs`, when the remaining connections are cut. Responses
 * until then say `connection: close`, so the client's next request opens a new connection, which reaches another
 * process.
 */
export function drainServer(server: Server, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      server.closeAllConnections();
      resolve();
    }, limitMs);
    server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'));
    server.close(() => {
      clearTimeout(limit);
      resolve();
    });
    server.closeIdleConnections();
  });
}
