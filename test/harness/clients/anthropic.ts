/** `@anthropic-ai/sdk`: messages, and the counting of tokens. */
import Anthropic from '@anthropic-ai/sdk';
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

const clientOf = ({ url, key }: Bench) => new Anthropic({ apiKey: key, baseURL: url });
const ask = (content: string) => ({
  model: MODEL,
  max_tokens: 4_000,
  messages: [{ role: 'user' as const, content }],
});
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');

export const anthropic: ClientUnderTest = {
  name: '@anthropic-ai/sdk, messages',
  behaviours: {
    plain: async (bench) => {
      const { input, text } = await question(bench);
      const client = clientOf(bench);
      const whole = await client.messages.create(ask(input), { headers: NO_CACHE });
      same('text', textOf(whole), text);
      same('stop', whole.stop_reason, 'end_turn');
      const { input_tokens } = await client.messages.countTokens({
        model: MODEL,
        messages: ask(input).messages,
      });
      holds('tokens are counted', input_tokens > 5 && input_tokens < 200);
    },
    streaming: async (bench) => {
      const { input, text } = await question(bench, AFTER_SILENCE);
      const stream = clientOf(bench).messages.stream(ask(input), { headers: NO_CACHE });
      const whole = await stream.finalMessage();
      same('text', textOf(whole), text);
      same('tokens', whole.usage.output_tokens, 60);
    },
    'tool call': async (bench) => {
      const client = clientOf(bench);
      const tools = [{ name: 'weather', input_schema: TOOL_SCHEMA }];
      const question = ask(toolQuestion());
      const options = { headers: NO_CACHE };
      const whole = await client.messages.stream({ ...question, tools }, options).finalMessage();
      const [call] = whole.content;
      holds('a tool_use', call?.type === 'tool_use');
      same('input', call.input, TOOL_ARGUMENTS);
      same('stop', whole.stop_reason, 'tool_use');
      const result = { type: 'tool_result' as const, tool_use_id: call.id, content: TOOL_RESULT };
      const messages = [
        ...question.messages,
        { role: 'assistant' as const, content: whole.content },
        { role: 'user' as const, content: [result] },
      ];
      const answer = await client.messages.create({ ...question, messages, tools }, options);
      holds('an answer in words', textOf(answer).length > 50);
    },
    resume: (bench) =>
      oneCall(bench, async () => {
        const { input, text } = await question(bench, { tokens: 150, delayMs: 5 });
        const options = { headers: { ...NO_CACHE, 'idempotency-key': newKey() } };
        const client = clientOf(bench);
        const cut = await client.messages.create({ ...ask(input), stream: true }, options);
        await takeSome(cut, 20);
        same('text', textOf(await client.messages.stream(ask(input), options).finalMessage()), text);
      }),
    error: async (bench) => {
      const client = clientOf(bench);
      const unknown = await failureOf(
        'an unknown model',
        client.messages.create({ ...ask('x'), model: 'no-such' }),
      );
      holds('a NotFoundError', unknown instanceof Anthropic.NotFoundError);
      const wrong = new Anthropic({ apiKey: 'wrong-key-000', baseURL: bench.url });
      const refused = await failureOf('a wrong key', wrong.messages.create(ask('x')));
      holds('an AuthenticationError', refused instanceof Anthropic.AuthenticationError);
      await bench.stack.sim.fault({ kind: 'status', wire: 'openai-responses', status: 400, times: 1 });
      const { input } = await question(bench);
      const stream = client.messages.stream(ask(input), { headers: NO_CACHE });
      const inBand = await failureOf('a failing provider', stream.finalMessage());
      holds('an error in band', inBand instanceof Anthropic.APIError);
    },
    cancel: async (bench) => {
      const { input } = await question(bench, LONG);
      const headers = { ...NO_CACHE, 'x-unbroken-on-abort': 'cancel' };
      const { data: stream, response } = await clientOf(bench)
        .messages.create({ ...ask(input), stream: true }, { headers })
        .withResponse();
      await takeSome(stream, 1);
      await waitForStatus(bench, response.headers.get('x-unbroken-generation-id') ?? '', 'cancelled');
    },
  },
};
