/** The thread's side of `ThreadRunner`: one request after the other, each with one reply. */
import { parentPort } from 'node:worker_threads';

export interface ThreadRequest {
  readonly id: number;
  readonly request: unknown;
}
export type ThreadReply =
  /** Has loaded what it needs; before that, no request is sent. */
  | { readonly ready: true }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/**
 * Call it once, in the file that the thread runs.
 * @param load makes what answers a request; what it throws ends the thread, and the owner hears it.
 */
export async function serveThread(
  load: () => Promise<(request: unknown) => unknown> | ((request: unknown) => unknown),
): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('This file runs as a thread only.');
  const reply = (message: ThreadReply) => port.postMessage(message);
  const handle = await load();
  port.on('message', async ({ id, request }: ThreadRequest) => {
    try {
      reply({ id, value: await handle(request) });
    } catch (error) {
      reply({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  reply({ ready: true });
}
