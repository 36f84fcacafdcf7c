/** Answers behind an Express app: it holds the key, and a browser's EventSource resumes through it. */
import { once } from 'node:events';
import { join } from 'node:path';
import { createClient } from '@unbroken/client';
import express from 'express';

const client = createClient({
  baseUrl: process.env.UNBROKEN_URL ?? 'http://127.0.0.1:8787',
  apiKey: process.env.UNBROKEN_API_KEY,
});
const app = express();

app.get('/', (_request, response) => response.sendFile(join(import.meta.dirname, '..', 'page.html')));

app.post('/answers', express.json(), async (request, response) => {
  // Check here who is signed in. The same Idempotency-Key joins the same answer.
  const { id } = await client.submit(
    { input: String(request.body.question) },
    { idempotencyKey: request.get('idempotency-key') },
  );
  response.status(201).json({ id });
});

app.get('/answers/:id/events', async (request, response) => {
  const reader = new AbortController();
  response.once('close', () => reader.abort());
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // EventSource sends the id of the last event that it has, also to another process of this app.
  const after = Number(request.get('last-event-id') ?? -1);
  try {
    for await (const event of client.follow(request.params.id, { after, signal: reader.signal })) {
      const isSent = response.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
      if (!isSent) await once(response, 'drain', { signal: reader.signal });
    }
    response.end();
  } catch (error) {
    // The browser reconnects if it is still there.
    if (!reader.signal.aborted) console.error(error);
    response.destroy();
  }
});

const port = Number(process.env.PORT ?? 3000);
app.listen(port, () => console.log(`http://127.0.0.1:${port}`));
