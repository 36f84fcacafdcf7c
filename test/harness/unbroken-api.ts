/** Plain HTTP against the API, below the TypeScript client: what a caller in any language sees. */
import { randomUUID } from 'node:crypto';
import { createParser } from 'eventsource-parser';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import type { GenerationRequest, GenerationView } from '../../contracts/generation.ts';
import { waitFor } from './wait-for.ts';

interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string; readonly doc: string };
}

export interface UnbrokenApi {
  readonly url: string;
  readonly key: string;
  /** POST /v1/generations, not streamed. `idempotencyKey` is sent as the header of that name. */
  createOnce(
    request: GenerationRequest,
    idempotencyKey?: string,
  ): Promise<Answer<GenerationView & ErrorAnswer>>;
  /** The same, repeated while the answer is 503, as clients do: a busy machine may need longer. */
  create(request: GenerationRequest, idempotencyKey?: string): Promise<Answer<GenerationView & ErrorAnswer>>;
  /** The same with a new key; any answer but 201 is an error. */
  submit(request: GenerationRequest): Promise<GenerationView>;
  view(id: string): Promise<Answer<GenerationView & ErrorAnswer>>;
  cancel(id: string): Promise<Answer<unknown>>;
  /** Any call, with the key. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Reads the events after `after` over one connection, without reconnecting, until the terminal event, the end of
   * the connection, or `enough` of the events so far.
   */
  readOnce(
    id: string,
    after: number,
    enough?: (events: GenerationEvent[]) => boolean,
  ): Promise<GenerationEvent[]>;
}

export function connectApi(url: string, key: string): UnbrokenApi {
  const send = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers },
    });
  const json = async <Body>(response: Response): Promise<Answer<Body>> => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Body,
  });
  const createOnce: UnbrokenApi['createOnce'] = async (request, idempotencyKey) =>
    json(
      await send('/v1/generations', {
        method: 'POST',
        body: JSON.stringify(request),
        ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
      }),
    );
  const create: UnbrokenApi['create'] = (request, idempotencyKey) =>
    waitFor('the request is answered', async () => {
      const answer = await createOnce(request, idempotencyKey);
      return answer.status !== 503 && answer;
    });
  return {
    url,
    key,
    send,
    createOnce,
    create,
    submit: async (request) => {
      const { status, body } = await create(request, randomUUID());
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body;
    },
    view: async (id) => json(await send(`/v1/generations/${id}`)),
    cancel: async (id) => json(await send(`/v1/generations/${id}/cancel`, { method: 'POST' })),
    readOnce: async (id, after, enough = () => false) => {
      const events: GenerationEvent[] = [];
      const controller = new AbortController();
      const response = await send(`/v1/generations/${id}/events`, {
        // Only the header, as a browser's EventSource sends it.
        headers: after < 0 ? {} : { 'last-event-id': String(after) },
        signal: controller.signal,
      });
      // It has the end already.
      if (response.status === 204) return events;
      if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
      for await (const event of eventsOf(response)) {
        events.push(event);
        if (isTerminal(event) || enough(events)) break;
      }
      controller.abort();
      return events;
    },
  };
}

/** The events of an SSE response, as they arrive. `id:` must repeat the event's own seq. */
export async function* eventsOf(response: Response): AsyncGenerator<GenerationEvent> {
  const ready: GenerationEvent[] = [];
  const parser = createParser({
    onEvent: ({ data, id }) => {
      const event = JSON.parse(data) as GenerationEvent;
      if (id !== String(event.seq)) throw new Error(`id ${id} stands over the event ${event.seq}`);
      ready.push(event);
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* ready.splice(0);
  }
}
