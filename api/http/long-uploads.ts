/**
 * Gives an upload more time than `http.requestMs`, which is for requests that are held in memory. Node knows one limit
 * for all requests of a server, and reports each connection that has passed it once; that report is ignored for an
 * upload, which has its own limit here.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const uploading = new WeakSet<Duplex>();

/** @returns call it when the upload has ended. */
export function allowLongUpload({ socket }: IncomingMessage, limitMs: number): () => void {
  uploading.add(socket);
  const limit = setTimeout(() => socket.destroy(), limitMs);
  return () => {
    clearTimeout(limit);
    uploading.delete(socket);
  };
}

/** Whether this connection may be older than `http.requestMs`. */
export function isUploading(socket: Duplex): boolean {
  return uploading.has(socket);
}
