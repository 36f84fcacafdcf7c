/** `openai` from npm: the Responses API. */
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import {
  AFTER_SILENCE,
  type Bench,
  type ClientUnderTest,
  failureOf,
  fieldOf,
  holds,
  LONG,
  MODEL,
  NO_CACHE,
  question,
  same,
  TOOL_ARGUMENTS,
  TOOL_RESULT,
  TOOL_SCHEMA,
  toolQuestion,
} from './bench.ts';

const clientOf = ({ url, key }: Bench) => new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
const headers = NO_CACHE;

export const openAiResponses: ClientUnderTest = {
  name: 'openai (npm), Responses',
  behaviours: {
    plain: async (bench) => {
      const { input, text } = await question(bench);
      const response = await clientOf(bench).responses.create({ model: MODEL, input }, { headers });
      same('text', response.output_text, text);
      same('status', response.status, 'completed');
      const { data: models } = await clientOf(bench).models.list();
      holds(
        'models are listed',
        models.some(({ id }) => id.includes('/')),
      );
    },
    streaming: async (bench) => {
      const { input, text } = await question(bench, AFTER_SILENCE);
      const stream = clientOf(bench).responses.stream({ model: MODEL, input }, { headers });
      const events: ResponseStreamEvent[] = [];
      for await (const event of stream) events.push(event);
      const numbers = events.map((event) => event.sequence_number);
      same('numbers', numbers, [...numbers.keys()]);
      same('text', (await stream.finalResponse()).output_text, text);
    },
    'tool call': async (bench) => {
      const client = clientOf(bench);
      const tools = [{ type: 'function' as const, name: 'weather', parameters: TOOL_SCHEMA, strict: true }];
      const question = { model: MODEL, input: toolQuestion(), tools };
      const response = await client.responses.stream(question, { headers }).finalResponse();
      const [call] = response.output;
      holds('a function call', call?.type === 'function_call');
      same('name', call.name, 'weather');
      same('arguments', JSON.parse(call.arguments), TOOL_ARGUMENTS);
      const { call_id } = call;
      const result = { type: 'function_call_output' as const, call_id, output: TOOL_RESULT };
      const answer = await client.responses.create(
        { model: MODEL, tools, input: [result], previous_response_id: response.id },
        { headers },
      );
      holds('an answer in words', answer.output_text.length > 50);
    },
    resume: async (bench) => {
      const { input, text } = await question(bench, { tokens: 120, delayMs: 4 });
      const client = clientOf(bench);
      const before: ResponseStreamEvent[] = [];
      const stream = await client.responses.create(
        { model: MODEL, input, stream: true, background: true },
        { headers },
      );
      for await (const event of stream) {
        before.push(event);
        if (before.length === 40) break;
      }
      const [created] = before;
      holds('response.created comes first', created?.type === 'response.created');
      const starting_after = before.at(-1)?.sequence_number ?? -1;
      const rest = await client.responses.retrieve(created.response.id, { stream: true, starting_after });
      const after: ResponseStreamEvent[] = [];
      for await (const event of rest) after.push(event);
      const all = [...before, ...after];
      same(
        'numbers',
        all.map((event) => event.sequence_number),
        [...all.keys()],
      );
      same(
        'text',
        all.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join(''),
        text,
      );
    },
    error: async (bench) => {
      const client = clientOf(bench);
      const error = await failureOf(
        'an unknown model',
        client.responses.create({ model: 'no-such', input: 'x' }),
      );
      holds('a NotFoundError', error instanceof OpenAI.NotFoundError);
      same('code', error.code, 'model_not_found');
    },
    cancel: async (bench) => {
      const { input } = await question(bench, LONG);
      const client = clientOf(bench);
      const { id } = await client.responses.create({ model: MODEL, input, background: true }, { headers });
      same('status', (await client.responses.cancel(id)).status, 'cancelled');
      same('again', fieldOf(await client.responses.cancel(id), 'status'), 'cancelled');
    },
  },
};
