/**
 * What the durable peers have in common: a chat completion is taken over HTTP, becomes a durable step of this process,
 * and the step sends what it reads from the provider straight to the caller, which costs less than any other way. So
 * the tokens are not durable, only the step's result is.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { LOOPBACK } from '../services/ports.ts';

/** Callers that wait for their tokens, by the id of their request. */
const callers = new Map<string, ServerResponse>();

/** @returns all that the provider sent. */
export async function streamToCaller(providerUrl: string, id: string, body: string): Promise<string> {
  const answer = await fetch(`${providerUrl}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body,
  });
  if (!answer.ok || answer.body === null) throw new Error(`the provider answered ${answer.status}`);
  const caller = callers.get(id);
  const decoder = new TextDecoder();
  let whole = '';
  for await (const bytes of answer.body) {
    caller?.write(bytes);
    whole += decoder.decode(bytes, { stream: true });
  }
  caller?.end();
  return whole;
}

/** Listens, and prints that it does. @param start begins the durable step of a request */
export async function serveCallers(
  port: number,
  start: (id: string, body: string) => Promise<unknown>,
): Promise<void> {
  const accept = async (request: IncomingMessage, response: ServerResponse) => {
    const body = (await request.toArray()).join('');
    const id = crypto.randomUUID();
    callers.set(id, response);
    response.once('close', () => callers.delete(id));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await start(id, body);
  };
  const server = createServer((request, response) => {
    accept(request, response).catch((error: Error) => response.destroy(error));
  });
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
  process.stdout.write(`${JSON.stringify({ ready: true, url: `http://${LOOPBACK}:${port}` })}\n`);
}
