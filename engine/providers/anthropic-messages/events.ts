/** Reads the events of a message that Anthropic's SDK has requested. */
import { APIError } from '@anthropic-ai/sdk';
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import type { Link } from '../http-link.ts';
import { parseEventData, readServerEvents } from '../server-events.ts';

/** @throws what the SDK throws for an error in the stream. */
export async function* readAnthropicEvents(
  response: Response,
  link: Pick<Link, 'bodyOf'>,
): AsyncGenerator<RawMessageStreamEvent> {
  for await (const { event, data } of readServerEvents(link.bodyOf(response))) {
    if (event === 'error') throw new APIError(undefined, errorOf(data), undefined, response.headers);
    if (event !== undefined && event !== 'ping') yield parseEventData(data) as RawMessageStreamEvent;
  }
}

/** Some gateways send only words. */
function errorOf(data: string): object {
  try {
    return parseEventData(data) as object;
  } catch {
    return { message: data };
  }
}
