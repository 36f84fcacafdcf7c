/** `openai` from npm: WebSocket mode of the Responses API. */
import OpenAI from 'openai';
import type { ResponseStreamEvent, ResponsesServerEvent } from 'openai/resources/responses/responses';
import { ResponsesWS } from 'openai/resources/responses/ws';
import {
  AFTER_SILENCE,
  type Bench,
  type ClientUnderTest,
  fieldOf,
  holds,
  LONG,
  MODEL,
  question,
  same,
  TOOL_ARGUMENTS,
  TOOL_RESULT,
  TOOL_SCHEMA,
  toolQuestion,
} from './bench.ts';

type Create = Parameters<ResponsesWS['send']>[0];
const IS_LAST = /^response\.(completed|incomplete|failed)$/;

const clientOf = ({ url, key }: Bench) => new OpenAI({ apiKey: key, baseURL: `${url}/v1` });

/** Sends a frame and collects the events of its turn, up to `enough`. */
async function turn(
  socket: ResponsesWS,
  frame: Create,
  enough: (events: readonly ResponseStreamEvent[]) => boolean = () => false,
): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const take = (event: ResponsesServerEvent) => {
    events.push(event as ResponseStreamEvent);
    if (!IS_LAST.test(event.type ?? '') && !enough(events)) return;
    // What comes before the socket is closed is not part of what was taken.
    socket.off('event', take);
    resolve();
  };
  socket.on('event', take);
  socket.on('error', reject);
  socket.send(frame);
  await promise;
  return events;
}

async function onSocket<Value>(client: OpenAI, use: (socket: ResponsesWS) => Promise<Value>): Promise<Value> {
  const socket = new ResponsesWS(client);
  try {
    return await use(socket);
  } finally {
    socket.close();
  }
}

const deltas = (events: readonly ResponseStreamEvent[]) =>
  events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));

export const openAiWebSocket: ClientUnderTest = {
  name: 'openai (npm), Responses by WebSocket',
  behaviours: {
    plain: async (bench) => {
      const { input, text } = await question(bench);
      const events = await onSocket(clientOf(bench), (socket) =>
        turn(socket, { type: 'response.create', model: MODEL, input }),
      );
      const end = events.at(-1);
      holds('completed', end?.type === 'response.completed');
      const [message] = end.response.output;
      same('output', fieldOf(fieldOf(fieldOf(message, 'content'), '0'), 'text'), text);
    },
    streaming: async (bench) => {
      const { input, text } = await question(bench, AFTER_SILENCE);
      const events = await onSocket(clientOf(bench), (socket) =>
        turn(socket, { type: 'response.create', model: MODEL, input }),
      );
      same(
        'numbers',
        events.map((event) => event.sequence_number),
        [...events.keys()],
      );
      holds('many deltas', deltas(events).length > 10);
      same('text', deltas(events).join(''), text);
    },
    'tool call': async (bench) => {
      const tools = [{ type: 'function' as const, name: 'weather', parameters: TOOL_SCHEMA, strict: true }];
      await onSocket(clientOf(bench), async (socket) => {
        const question = { type: 'response.create' as const, model: MODEL, tools, store: false };
        const events = await turn(socket, { ...question, input: toolQuestion() });
        const end = events.at(-1);
        holds('completed', end?.type === 'response.completed');
        const [call] = end.response.output;
        holds('a function call', call?.type === 'function_call');
        same('arguments', JSON.parse(call.arguments), TOOL_ARGUMENTS);
        const result = { type: 'function_call_output' as const, call_id: call.call_id, output: TOOL_RESULT };
        const next = { ...question, input: [result], previous_response_id: end.response.id };
        holds('an answer in words', deltas(await turn(socket, next)).join('').length > 50);
      });
    },
    resume: async (bench) => {
      const { input, text } = await question(bench, { tokens: 120, delayMs: 4 });
      const client = clientOf(bench);
      const before = await onSocket(client, (socket) =>
        turn(socket, { type: 'response.create', model: MODEL, input }, (events) => events.length >= 40),
      );
      const [created] = before;
      holds('response.created comes first', created?.type === 'response.created');
      const starting_after = before.at(-1)?.sequence_number ?? -1;
      const after: ResponseStreamEvent[] = [];
      const rest = await client.responses.retrieve(created.response.id, { stream: true, starting_after });
      for await (const event of rest) after.push(event);
      const all = [...before, ...after];
      same(
        'numbers',
        all.map((event) => event.sequence_number),
        [...all.keys()],
      );
      same('text', deltas(all).join(''), text);
    },
    error: async (bench) => {
      const failure = await onSocket(clientOf(bench), (socket) =>
        turn(socket, { type: 'response.create', model: 'no-such', input: 'x' }).then(
          () => null,
          (error: unknown) => error,
        ),
      );
      same('code', fieldOf(fieldOf(fieldOf(failure, 'error'), 'error'), 'code'), 'model_not_found');
    },
    cancel: async (bench) => {
      const { input } = await question(bench, LONG);
      const client = clientOf(bench);
      const events = await onSocket(client, (socket) =>
        turn(socket, { type: 'response.create', model: MODEL, input }, (sofar) => {
          const [created] = sofar;
          if (sofar.length === 10 && created?.type === 'response.created') {
            client.responses.cancel(created.response.id).catch(() => undefined);
          }
          return false;
        }),
      );
      const end = events.at(-1);
      same('status', end?.type === 'response.incomplete' && end.response.status, 'cancelled');
    },
  },
};
