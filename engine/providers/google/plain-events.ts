/**
 * Google's SDK reads a stream only in the form in which Google writes it. Proxies add names, comments or an end to its
 * events, leave out the last blank line, or send all chunks as one list: that is the form without `alt=sse`.
 */
import { isDone, isPing, parseEventData, readServerEvents } from '../server-events.ts';

type Fetch = typeof globalThis.fetch;

const STREAM = /^(?:text\/event-stream|application\/json)\b/i;

export function withPlainEvents(fetch: Fetch): Fetch {
  return async (url, init) => {
    const answer = await fetch(url, init);
    const isStream = answer.ok && STREAM.test(answer.headers.get('content-type') ?? '');
    if (!isStream || answer.body === null) return answer;
    const { status, statusText, headers } = answer;
    return new Response(ReadableStream.from(plainEvents(answer.body)), { status, statusText, headers });
  };
}

async function* plainEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const { event, data } of readServerEvents(body)) {
    if (isPing(event) || isDone(data)) continue;
    const isPlain = !data.startsWith('[') && !data.includes('\n');
    for (const line of isPlain ? [data] : linesOf(data)) yield encoder.encode(`data: ${line}\n\n`);
  }
}

function linesOf(data: string): readonly string[] {
  const values = parseEventData(data).flat();
  return values.map((value) => JSON.stringify(value));
}
