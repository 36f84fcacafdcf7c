/** Reads the events of a response that OpenAI's SDK has requested, for both of its formats. */
import { APIError } from 'openai';
import type { Link } from './http-link.ts';
import { parseEventData, readServerEvents } from './server-events.ts';

/** @throws what the SDK throws for an error in the stream. */
export async function* readOpenAiEvents<Event>(
  response: Response,
  link: Pick<Link, 'bodyOf'>,
): AsyncGenerator<Event> {
  for await (const { event, data } of readServerEvents(link.bodyOf(response))) {
    if (data === '[DONE]') return;
    const parsed = parseEventData(data) as (Event & { readonly error?: object }) | null;
    if (event === 'error' || parsed?.error) {
      throw new APIError(undefined, parsed?.error ?? parsed ?? undefined, undefined, response.headers);
    }
    // Code that reads an event fails on `null` as on any other event that is not of its format.
    yield parsed as Event;
  }
}
