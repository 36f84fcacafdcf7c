/** Reads the events of a response that OpenAI's SDK has requested, for both of its formats. */
import { APIError } from 'openai';
import { errorInEvent } from '../vendor-errors/vendor-error.ts';
import type { Link } from './http-link.ts';
import { isDone, isPing, parseEventData, readServerEvents, withType } from './server-events.ts';

export class OpenAiEvents<Event> implements AsyncIterable<Event> {
  readonly #response: Response;
  readonly #link: Pick<Link, 'bodyOf'>;
  #isDone = false;

  constructor(response: Response, link: Pick<Link, 'bodyOf'>) {
    this.#response = response;
    this.#link = link;
  }

  /** Whether the server has said that nothing follows. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** @throws what the SDK throws for an error in the stream. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Event> {
    for await (const { event, data } of readServerEvents(this.#link.bodyOf(this.#response))) {
      this.#isDone = isDone(data);
      if (this.#isDone) return;
      if (isPing(event)) continue;
      for (const value of event === 'error' ? [errorValue(data)] : parseEventData(data)) {
        const error = event === 'error' ? value : errorInEvent(value);
        if (error !== null) throw new APIError(undefined, error as object, undefined, this.#response.headers);
        // Code that reads an event fails on `null` as on any other event that is not of its format.
        yield withType(value, event) as Event;
      }
    }
  }
}

/** Some gateways send only words. */
function errorValue(data: string): object {
  try {
    const [value] = parseEventData(data);
    return Object(errorInEvent(value) ?? value ?? {});
  } catch {
    return { message: data };
  }
}
