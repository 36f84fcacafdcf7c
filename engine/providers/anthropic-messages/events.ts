/** Reads the events of a message that Anthropic's SDK has requested. */
import { APIError } from '@anthropic-ai/sdk';
import type { Message, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { errorInEvent } from '../../vendor-errors/vendor-error.ts';
import { malformed } from '../answer-state.ts';
import type { Link } from '../http-link.ts';
import { isDone, isPing, parseEventData, readServerEvents, withType } from '../server-events.ts';
import { eventsOfMessage } from './whole-message.ts';

/** @throws what the SDK throws for an error in the stream. */
export async function* readAnthropicEvents(
  response: Response,
  link: Pick<Link, 'bodyOf'>,
): AsyncGenerator<RawMessageStreamEvent> {
  const errorWith = (body: object) => new APIError(undefined, body, undefined, response.headers);
  for await (const { event, data } of readServerEvents(link.bodyOf(response))) {
    if (event === 'error') throw errorWith(errorOf(data));
    // Gateways of OpenAI's formats add their last event.
    if (isPing(event) || isDone(data)) continue;
    for (const value of parseEventData(data)) {
      const typed = withType(value, event) as RawMessageStreamEvent | Message | OtherEvent | null;
      if (typeof typed !== 'object' || typed === null) throw malformed('an event that is no object');
      if (typed.type === 'error' || errorInEvent(value) !== null) throw errorWith(Object(value));
      if (typed.type === 'message') yield* eventsOfMessage(typed);
      else if (typed.type !== 'ping' && typed.type !== undefined) yield typed as RawMessageStreamEvent;
    }
  }
}

interface OtherEvent {
  readonly type: 'error' | 'ping' | undefined;
}

/** Some gateways send only words. */
function errorOf(data: string): object {
  try {
    return Object(parseEventData(data)[0]);
  } catch {
    return { message: data };
  }
}
