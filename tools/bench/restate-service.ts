/** The same work on Restate, as its documentation shows it: a request becomes an invocation with one durable step. */
import { type Context, endpoint, service } from '@restatedev/restate-sdk';
import { z } from 'zod';
import { serveCallers, streamToCaller } from './stream-to-caller.ts';

const environment = z
  .object({
    BENCH_PROVIDER_URL: z.url(),
    BENCH_INGRESS_URL: z.url(),
    BENCH_PORT: z.coerce.number(),
    BENCH_SERVICE_PORT: z.coerce.number(),
  })
  .parse(process.env);

interface Order {
  readonly id: string;
  readonly body: string;
}

const generations = service({
  name: 'generations',
  handlers: {
    generate: (context: Context, { id, body }: Order) =>
      context.run('stream', () => streamToCaller(environment.BENCH_PROVIDER_URL, id, body)),
  },
});

async function start(id: string, body: string): Promise<void> {
  const sent = await fetch(`${environment.BENCH_INGRESS_URL}/generations/generate/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': id },
    body: JSON.stringify({ id, body } satisfies Order),
  });
  if (!sent.ok) throw new Error(`Restate answered ${sent.status}`);
}

await endpoint()
  .setLogger(() => undefined)
  .bind(generations)
  .listen(environment.BENCH_SERVICE_PORT);
await serveCallers(environment.BENCH_PORT, start);
