/** The browser's EventSource (`eventsource`), on the native events. */
import { EventSource } from 'eventsource';
import type { EventType, GenerationEvent } from '../../../contracts/events.ts';
import { isTerminal, textOf } from '../../../contracts/fold-events.ts';
import { faultsOf } from '../check-events.ts';
import {
  AFTER_SILENCE,
  type Bench,
  type ClientUnderTest,
  holds,
  LONG,
  question,
  same,
  TOOL_ARGUMENTS,
  TOOL_SCHEMA,
  toolQuestion,
} from './bench.ts';

const TYPES: readonly EventType[] = [
  'generation-start',
  'cache-hit',
  'budget-reserve',
  'provider-start',
  'text-delta',
  'reasoning-delta',
  'tool-call-delta',
  'text-reset',
  'provider-error',
  'usage-update',
  'generation-end',
  'generation-error',
  'generation-cancel',
];

/** Follows to the terminal event. A browser sends its key as a cookie or ticket; here it is a header. */
function follow(
  url: string,
  key: string,
  path: string,
  onEvent: (event: GenerationEvent) => void = () => undefined,
) {
  let connections = 0;
  const { promise, resolve, reject } = Promise.withResolvers<GenerationEvent[]>();
  const events: GenerationEvent[] = [];
  const source = new EventSource(`${url}${path}`, {
    fetch: (target, init) => {
      connections += 1;
      return fetch(target, { ...init, headers: { ...init.headers, authorization: `Bearer ${key}` } });
    },
  });
  for (const type of TYPES) {
    source.addEventListener(type, ({ data }) => {
      const event = JSON.parse(data) as GenerationEvent;
      events.push(event);
      onEvent(event);
      if (isTerminal(event)) resolve(events);
    });
  }
  source.addEventListener('error', ({ code }) => {
    if (source.readyState === source.CLOSED) reject(new Error(`closed: ${code}`));
  });
  const ended = promise.finally(() => source.close());
  return { ended, connections: () => connections };
}

async function begin({ stack }: Bench, input: string): Promise<string> {
  return (await stack.api.submit({ input, cache: 'off' })).id;
}

export const eventSource: ClientUnderTest = {
  name: 'EventSource, native events',
  behaviours: {
    plain: async (bench) => {
      const { input, text } = await question(bench);
      const id = await begin(bench, input);
      await follow(bench.url, bench.key, `/v1/generations/${id}/events`).ended;
      const events = await follow(bench.url, bench.key, `/v1/generations/${id}/events`).ended;
      same('faults', faultsOf(events), []);
      same('text', textOf(events), text);
    },
    streaming: async (bench) => {
      const { input, text } = await question(bench, AFTER_SILENCE);
      const id = await begin(bench, input);
      const events = await follow(bench.url, bench.key, `/v1/generations/${id}/events`).ended;
      same('faults', faultsOf(events), []);
      same('text', textOf(events), text);
    },
    'tool call': async (bench) => {
      const tools = [{ name: 'weather', parameters: TOOL_SCHEMA }];
      const body = await bench.stack.api.submit({ input: toolQuestion(), tools, cache: 'off' });
      const events = await follow(bench.url, bench.key, `/v1/generations/${body.id}/events`).ended;
      const pieces = events.filter((event) => event.type === 'tool-call-delta');
      same('arguments', JSON.parse(pieces.map((delta) => delta.arguments).join('')), TOOL_ARGUMENTS);
    },
    resume: async (bench) => {
      const { input, text } = await question(bench, { tokens: 200, delayMs: 5 });
      const id = await begin(bench, input);
      // Each connection is ended after 300 ms; the browser comes back by itself, with Last-Event-ID.
      const following = follow(bench.url, bench.key, `/v1/generations/${id}/events?until_ms=300`);
      const events = await following.ended;
      holds('more than one connection', following.connections() > 1);
      same('faults', faultsOf(events), []);
      same('text', textOf(events), text);
    },
    error: async (bench) => {
      const { ended } = follow(bench.url, bench.key, '/v1/generations/gen_unknown/events');
      const failure = await ended.then(
        () => 'ended',
        (error: Error) => error.message,
      );
      same('failure', failure, 'closed: 404');
    },
    cancel: async (bench) => {
      const { input } = await question(bench, LONG);
      const id = await begin(bench, input);
      let isRequested = false;
      const events = await follow(bench.url, bench.key, `/v1/generations/${id}/events`, (event) => {
        if (isRequested || event.type !== 'text-delta') return;
        isRequested = true;
        bench.stack.api.cancel(id).catch(() => undefined);
      }).ended;
      same('end', events.at(-1)?.type, 'generation-cancel');
    },
  },
};
