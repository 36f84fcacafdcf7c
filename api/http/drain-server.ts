/** The end of an HTTP server: it takes nothing new, and lets what runs come to its end. */
import type { Server } from 'node:http';

/**
 * Resolves when the last response has ended, or after `limitMs`; then what is still open is cut. Whoever has more to
 * ask is told to open another connection, which leads to another process.
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
