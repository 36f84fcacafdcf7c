/**
 * What is asked of a live server to see whether it keeps to Open Responses. The first seven are the questions of the
 * published compliance test; the others reach the objects and events that those do not.
 */
import { once } from 'node:events';
import { createParser } from 'eventsource-parser';
import WebSocket from 'ws';
import { promptOf } from '../prompt.ts';
import type { Stack } from '../stack.ts';
import { waitFor } from '../wait-for.ts';
import type { Sample } from './validate.ts';

type Json = Readonly<Record<string, unknown>>;

const MODEL = 'simulated/sim-large';
const HEART =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const PDF = 'data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK';
const SHORT = '[[sim tokens=12 delay_ms=0]]';
const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'Get the current weather for a location',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' } },
    required: ['location'],
  },
};

const message = (role: string, content: unknown) => ({ type: 'message', role, content });
const user = (content: unknown) => [message('user', content)];
const weather = { input: user("What's the weather like in San Francisco?"), tools: [WEATHER] };

/** A client that keeps every object and event that it is sent. */
export class Recorder {
  readonly samples: Sample[] = [];
  readonly #stack: Stack;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  get sim() {
    return this.#stack.sim;
  }

  async whole(body: Json): Promise<Json> {
    return this.object(await this.#post({ model: MODEL, ...body }));
  }

  async get(path: string): Promise<Json> {
    return this.object(await this.#stack.api.send(path));
  }

  async cancel(id: unknown): Promise<Json> {
    return this.object(await this.#stack.api.send(`/v1/responses/${String(id)}/cancel`, { method: 'POST' }));
  }

  /** The events of a stream. */
  async streamed(body: Json): Promise<Json[]> {
    const response = await this.#post({ model: MODEL, ...body, stream: true });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const events: Json[] = [];
    const parser = createParser({
      onEvent: ({ event, data }) => {
        const value = JSON.parse(data) as Json;
        if (value['type'] !== event) throw new Error(`the event ${event} says that it is ${value['type']}`);
        events.push(value);
        this.samples.push({ model: null, value });
      },
    });
    parser.feed(await response.text());
    return events;
  }

  /** The events of one turn over a WebSocket. */
  async turn(body: Json): Promise<Json[]> {
    const { url, key } = this.#stack.api;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/responses`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const events: Json[] = [];
    try {
      await once(socket, 'open');
      const isOver = new Promise<void>((resolve) => {
        socket.on('message', (data) => {
          const value = JSON.parse(String(data)) as Json;
          events.push(value);
          const isError = value['type'] === 'error';
          this.samples.push({ model: isError ? 'WebSocketErrorEvent' : null, value });
          if (isError || isLast(value)) resolve();
        });
      });
      socket.send(JSON.stringify({ type: 'response.create', model: MODEL, ...body }));
      await isOver;
    } finally {
      socket.close();
    }
    return events;
  }

  async object(response: Response): Promise<Json> {
    const value = (await response.json()) as Json;
    if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(value)}`);
    this.samples.push({ model: 'ResponseResource', value });
    return value;
  }

  #post(body: Json): Promise<Response> {
    const headers = { 'x-unbroken-cache': 'off' };
    return this.#stack.api.send('/v1/responses', { method: 'POST', headers, body: JSON.stringify(body) });
  }
}

function isLast({ type }: Json): boolean {
  return /^response\.(completed|incomplete|failed)$/.test(String(type));
}

function expectStatus(response: unknown, status: string): void {
  const { status: actual, output } = response as { status?: string; output?: unknown[] };
  if (actual !== status) throw new Error(`expected the status ${status}, got ${actual}`);
  if (status === 'completed' && output?.length === 0) throw new Error('there are no output items');
}

function expectEvents(events: readonly Json[], ...types: readonly string[]): void {
  const sent = new Set(events.map(({ type }) => type));
  const missing = types.filter((type) => !sent.has(type));
  if (missing.length > 0) throw new Error(`missing events: ${missing.join(', ')}`);
  for (const [index, { sequence_number: number }] of events.entries())
    if (number !== index) throw new Error(`event ${index} has the sequence number ${String(number)}`);
}

function expectCall({ output }: Json): void {
  const items = output as { type: string }[];
  if (!items.some(({ type }) => type === 'function_call')) throw new Error('there is no function_call');
}

const completed = async (client: Recorder, body: Json) => expectStatus(await client.whole(body), 'completed');
const ends = (events: readonly Json[], status: string) => {
  const last = events.at(-1);
  if (last === undefined || !isLast(last)) throw new Error('the stream has no last event');
  expectStatus(last['response'], status);
};

export interface OpenResponsesCase {
  readonly name: string;
  run(client: Recorder): Promise<void>;
}

const CALL_EVENTS = [
  'response.output_item.added',
  'response.function_call_arguments.delta',
  'response.function_call_arguments.done',
  'response.output_item.done',
];

const PUBLISHED: readonly OpenResponsesCase[] = [
  {
    name: 'basic-response',
    run: (client) => completed(client, { input: user('Say hello in exactly 3 words.') }),
  },
  {
    name: 'streaming-response',
    run: async (client) => {
      const events = await client.streamed({ input: user('Count from 1 to 5.') });
      expectEvents(events, 'response.created', 'response.in_progress', 'response.output_text.delta');
      ends(events, 'completed');
    },
  },
  {
    name: 'system-prompt',
    run: (client) =>
      completed(client, { input: [message('system', 'You are a pirate.'), ...user('Say hello.')] }),
  },
  { name: 'tool-calling', run: async (client) => expectCall(await client.whole(weather)) },
  {
    name: 'tool-calling-streaming',
    run: async (client) => expectEvents(await client.streamed(weather), ...CALL_EVENTS),
  },
  {
    name: 'image-input',
    run: (client) =>
      completed(client, {
        input: user([
          { type: 'input_text', text: 'What do you see in this image? Answer in one sentence.' },
          { type: 'input_image', image_url: HEART },
        ]),
      }),
  },
  {
    name: 'multi-turn',
    run: (client) =>
      completed(client, {
        input: [
          ...user('My name is Alice.'),
          message('assistant', 'Hello Alice! Nice to meet you. How can I help you today?'),
          ...user('What is my name?'),
        ],
      }),
  },
];

const FURTHER: readonly OpenResponsesCase[] = [
  {
    name: 'file-input',
    run: (client) =>
      completed(client, {
        input: user([
          { type: 'input_text', text: `What is in this file? ${SHORT}` },
          { type: 'input_file', filename: 'empty.pdf', file_data: PDF },
        ]),
      }),
  },
  {
    name: 'tool-result',
    run: async (client) => {
      const { id, output } = await client.whole(weather);
      const call = (output as { type: string; call_id: string }[]).find(
        ({ type }) => type === 'function_call',
      );
      const result = { type: 'function_call_output', call_id: call?.call_id, output: '{"celsius":18}' };
      await completed(client, { input: [result], previous_response_id: id, tools: [WEATHER] });
    },
  },
  {
    name: 'previous-response and item-reference',
    run: async (client) => {
      const first = await client.whole({ input: `One. ${SHORT}`, instructions: 'Be brief.', store: true });
      await completed(client, { input: `Two. ${SHORT}`, previous_response_id: first['id'] });
      const [item] = first['output'] as { id: string }[];
      const reference = { type: 'item_reference', id: item?.id };
      await completed(client, { input: [...user('One.'), reference, ...user(`Two. ${SHORT}`)] });
    },
  },
  {
    name: 'what is asked for is echoed',
    run: async (client) => {
      const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
      const response = await client.whole({
        input: promptOf({ tokens: 12, delayMs: 0 }),
        metadata: { team: 'blue' },
        safety_identifier: 'user-1',
        prompt_cache_key: 'key-1',
        max_tool_calls: 3,
        truncation: 'auto',
        tools: [WEATHER],
        tool_choice: {
          type: 'allowed_tools',
          mode: 'auto',
          tools: [{ type: 'function', name: 'get_weather' }],
        },
        text: { format: { type: 'json_schema', name: 'answer', schema } },
      });
      const { safety_identifier: safety, prompt_cache_key: cacheKey, max_tool_calls: calls } = response;
      if (JSON.stringify([safety, cacheKey, calls]) !== '["user-1","key-1",3]')
        throw new Error('a field is not echoed');
    },
  },
  {
    name: 'reasoning-streaming',
    run: async (client) => {
      const events = await client.streamed({
        input: 'Think first. [[sim reasoning=20 tokens=20 delay_ms=0]]',
        reasoning: { effort: 'high', summary: 'auto' },
      });
      expectEvents(events, 'response.reasoning_summary_text.delta', 'response.reasoning_summary_part.done');
      ends(events, 'completed');
    },
  },
  {
    name: 'incomplete, and continued from',
    run: async (client) => {
      const cut = await client.whole({
        input: promptOf({ tokens: 60, delayMs: 0 }),
        max_output_tokens: 16,
        instructions: 'Be brief.',
      });
      expectStatus(cut, 'incomplete');
      await completed(client, { input: `And then? ${SHORT}`, previous_response_id: cut['id'] });
    },
  },
  {
    name: 'background, polled and cancelled',
    run: async (client) => {
      const { id } = await client.whole({
        input: promptOf({ tokens: 2_000, delayMs: 10 }),
        background: true,
      });
      await waitFor('some text', async () => {
        const { output } = await client.get(`/v1/responses/${String(id)}`);
        return (output as unknown[]).length > 0;
      });
      expectStatus(await client.cancel(id), 'cancelled');
    },
  },
  {
    name: 'failed',
    run: async (client) => {
      const input = promptOf({ tokens: 5 });
      await client.sim.fault({ kind: 'status', wire: 'openai-responses', status: 400, match: input });
      const { id } = await client.whole({ input, background: true });
      const failed = await waitFor('the failure', async () => {
        const now = await client.get(`/v1/responses/${String(id)}`);
        return now['status'] === 'failed' && now;
      });
      if (failed['error'] === null) throw new Error('it does not say why');
    },
  },
  {
    name: 'restarted',
    run: async (client) => {
      const input = promptOf({ tokens: 40, delayMs: 0 });
      await client.sim.fault({ kind: 'cut', afterTokens: 10, match: input });
      ends(await client.streamed({ input }), 'completed');
    },
  },
  {
    name: 'web-socket',
    run: async (client) => {
      ends(await client.turn({ input: promptOf({ tokens: 12, delayMs: 0 }) }), 'completed');
      const [refused] = await client.turn({ input: 'x', previous_response_id: `resp_${'0'.repeat(32)}` });
      if (refused?.['type'] !== 'error') throw new Error('an unknown response was continued from');
    },
  },
];

export const OPEN_RESPONSES_CASES: readonly OpenResponsesCase[] = [...PUBLISHED, ...FURTHER];
