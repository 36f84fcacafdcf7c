/**
 * The same work on Restate, as its documentation shows it: an HTTP server takes a chat completion, sends it to Restate
 * as an invocation, and streams to its caller what the durable step of that invocation reads from the provider. The
 * tokens go straight from the step to the caller, in this process, which costs less than any other way; so they are not
 * durable, only the step's result is.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Context, endpoint, service } from '@restatedev/restate-sdk';
import { z } from 'zod';
import { LOOPBACK } from '../services/ports.ts';

const environment = z
  .object({
    BENCH_PROVIDER_URL: z.url(),
    BENCH_INGRESS_URL: z.url(),
    BENCH_PORT: z.coerce.number(),
    BENCH_SERVICE_PORT: z.coerce.number(),
  })
  .parse(process.env);

/** Callers that wait for their tokens, by the id of their request. */
const callers = new Map<string, ServerResponse>();

interface Order {
  readonly id: string;
  readonly body: string;
}

const generations = service({
  name: 'generations',
  handlers: {
    generate: (context: Context, { id, body }: Order) => context.run('stream', () => stream(id, body)),
  },
});

/** @returns all that the provider sent, which Restate keeps as the result of the step. */
async function stream(id: string, body: string): Promise<string> {
  const answer = await fetch(`${environment.BENCH_PROVIDER_URL}/chat/completions`, {
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

async function accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = (await request.toArray()).join('');
  const id = crypto.randomUUID();
  callers.set(id, response);
  response.once('close', () => callers.delete(id));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const sent = await fetch(`${environment.BENCH_INGRESS_URL}/generations/generate/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({ id, body } satisfies Order),
  });
  if (!sent.ok) response.destroy(new Error(`Restate answered ${sent.status}`));
}

await endpoint()
  .setLogger(() => undefined)
  .bind(generations)
  .listen(environment.BENCH_SERVICE_PORT);
const server = createServer((request, response) => {
  accept(request, response).catch((error: Error) => response.destroy(error));
});
server.listen(environment.BENCH_PORT, LOOPBACK);
await once(server, 'listening');
process.stdout.write(
  `${JSON.stringify({ ready: true, url: `http://${LOOPBACK}:${environment.BENCH_PORT}` })}\n`,
);
