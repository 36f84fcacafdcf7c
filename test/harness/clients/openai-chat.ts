/** `openai` from npm: chat completions. */
import OpenAI from 'openai';
import {
  AFTER_SILENCE,
  type Bench,
  type ClientUnderTest,
  failureOf,
  holds,
  LONG,
  MODEL,
  NO_CACHE,
  newKey,
  oneCall,
  question,
  same,
  TOOL_ARGUMENTS,
  TOOL_RESULT,
  TOOL_SCHEMA,
  takeSome,
  toolQuestion,
  waitForStatus,
} from './bench.ts';

const clientOf = ({ url, key }: Bench) => new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
const ask = (content: string) => ({ model: MODEL, messages: [{ role: 'user' as const, content }] });

export const openAiChat: ClientUnderTest = {
  name: 'openai (npm), chat completions',
  behaviours: {
    plain: async (bench) => {
      const { input, text } = await question(bench);
      const { data, response } = await clientOf(bench)
        .chat.completions.create(ask(input), { headers: NO_CACHE })
        .withResponse();
      same('text', data.choices[0]?.message.content, text);
      same('finish', data.choices[0]?.finish_reason, 'stop');
      same('attempts', response.headers.get('x-unbroken-attempts'), '1');
      same('cache', response.headers.get('x-unbroken-cache'), 'miss');
      holds('a cost', response.headers.get('x-unbroken-cost-micro-usd') !== null);
    },
    streaming: async (bench) => {
      const { input, text } = await question(bench, AFTER_SILENCE);
      const stream = clientOf(bench).chat.completions.stream(
        { ...ask(input), stream_options: { include_usage: true } },
        { headers: NO_CACHE },
      );
      const whole = await stream.finalChatCompletion();
      same('text', whole.choices[0]?.message.content, text);
      same('tokens', whole.usage?.completion_tokens, 60);
    },
    'tool call': async (bench) => {
      const client = clientOf(bench);
      const tools = [
        { type: 'function' as const, function: { name: 'weather', parameters: TOOL_SCHEMA, strict: true } },
      ];
      const question = ask(toolQuestion());
      const options = { headers: NO_CACHE };
      const stream = client.chat.completions.stream({ ...question, tools }, options);
      const [choice] = (await stream.finalChatCompletion()).choices;
      const [call] = choice?.message.tool_calls ?? [];
      holds('a call', choice !== undefined && call?.type === 'function');
      same('name', call.function.name, 'weather');
      same('arguments', JSON.parse(call.function.arguments), TOOL_ARGUMENTS);
      same('finish', choice.finish_reason, 'tool_calls');
      const result = { role: 'tool' as const, tool_call_id: call.id, content: TOOL_RESULT };
      const messages = [...question.messages, choice.message, result];
      const answer = await client.chat.completions.create({ model: MODEL, messages, tools }, options);
      holds('an answer in words', (answer.choices[0]?.message.content ?? '').length > 50);
    },
    resume: (bench) =>
      oneCall(bench, async () => {
        const { input, text } = await question(bench, { tokens: 150, delayMs: 5 });
        const options = { headers: { ...NO_CACHE, 'idempotency-key': newKey() } };
        const client = clientOf(bench);
        const cut = await client.chat.completions.create({ ...ask(input), stream: true }, options);
        await takeSome(cut, 20);
        const again = client.chat.completions.stream(ask(input), options);
        same('text', (await again.finalChatCompletion()).choices[0]?.message.content, text);
      }),
    error: async (bench) => {
      const client = clientOf(bench);
      const unknown = await failureOf(
        'an unknown model',
        client.chat.completions.create({ ...ask('x'), model: 'no-such' }),
      );
      holds('a NotFoundError', unknown instanceof OpenAI.NotFoundError);
      const several = await failureOf('n=129', client.chat.completions.create({ ...ask('x'), n: 129 }));
      holds('a BadRequestError', several instanceof OpenAI.BadRequestError);
      same('param', several.param, 'n');
      // Both kinds of the failing candidate's errors: before the answer, and in the middle of a stream.
      await bench.stack.sim.fault({ kind: 'status', wire: 'openai-responses', status: 400, times: 1 });
      const { input } = await question(bench);
      const stream = client.chat.completions.stream(ask(input), { headers: NO_CACHE });
      const inBand = await failureOf('a failing provider', stream.finalChatCompletion());
      holds('an APIError', inBand instanceof OpenAI.APIError);
      same('code', inBand.code, 'provider_bad_request');
    },
    cancel: async (bench) => {
      const { input } = await question(bench, LONG);
      const headers = { ...NO_CACHE, 'x-unbroken-on-abort': 'cancel' };
      const { data: stream, response } = await clientOf(bench)
        .chat.completions.create({ ...ask(input), stream: true }, { headers })
        .withResponse();
      await takeSome(stream, 1);
      await waitForStatus(bench, response.headers.get('x-unbroken-generation-id') ?? '', 'cancelled');
    },
  },
};
