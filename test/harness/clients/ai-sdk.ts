/** `ai` with `@ai-sdk/openai` (Responses and chat completions) and `@ai-sdk/anthropic`. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, type LanguageModel, stepCountIs, streamText, type ToolSet } from 'ai';
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

type ModelOf = (url: string, key: string, name: string) => LanguageModel;

const inputSchema = jsonSchema(TOOL_SCHEMA);

function withModel(name: string, modelOf: ModelOf): ClientUnderTest {
  const settings = ({ url, key }: Bench) => ({ model: modelOf(url, key, MODEL), maxOutputTokens: 4_000 });
  return {
    name,
    behaviours: {
      plain: async (bench) => {
        const { input, text } = await question(bench);
        const result = await generateText({ ...settings(bench), prompt: input, headers: NO_CACHE });
        same('text', result.text, text);
        same('finish', result.finishReason, 'stop');
      },
      streaming: async (bench) => {
        const { input, text } = await question(bench, AFTER_SILENCE);
        const result = streamText({ ...settings(bench), prompt: input, headers: NO_CACHE });
        let joined = '';
        for await (const delta of result.textStream) joined += delta;
        same('text', joined, text);
        same('tokens', (await result.usage).outputTokens, 60);
      },
      'tool call': async (bench) => {
        const called: unknown[] = [];
        const weather = {
          description: 'The weather of the next days.',
          inputSchema,
          execute: async (input: unknown) => {
            called.push(input);
            return TOOL_RESULT;
          },
        };
        const tools: ToolSet = { weather };
        const result = streamText({
          ...settings(bench),
          prompt: toolQuestion(),
          tools,
          headers: NO_CACHE,
          stopWhen: stepCountIs(2),
        });
        const [text, steps] = await Promise.all([result.text, result.steps]);
        same('calls', called, [TOOL_ARGUMENTS]);
        same(
          'finish of each step',
          steps.map((step) => step.finishReason),
          ['tool-calls', 'stop'],
        );
        holds('an answer in words', text.length > 50);
      },
      resume: (bench) =>
        oneCall(bench, async () => {
          const { input, text } = await question(bench, { tokens: 150, delayMs: 5 });
          const headers = { ...NO_CACHE, 'idempotency-key': newKey() };
          const leave = new AbortController();
          const cut = streamText({
            ...settings(bench),
            prompt: input,
            headers,
            maxRetries: 0,
            abortSignal: leave.signal,
            onError: () => undefined,
          });
          await takeSome(cut.textStream, 10);
          leave.abort();
          const again = await generateText({ ...settings(bench), prompt: input, headers });
          same('text', again.text, text);
        }),
      error: async (bench) => {
        const unknown = generateText({
          model: modelOf(bench.url, bench.key, 'no-such'),
          prompt: 'x',
          maxRetries: 0,
        });
        const error = await failureOf('an unknown model', unknown);
        same('status', fieldOf(error, 'statusCode'), 404);
        holds('not to be tried again', fieldOf(error, 'isRetryable') === false);
      },
      cancel: async (bench) => {
        const { input } = await question(bench, LONG);
        const leave = new AbortController();
        const key = newKey();
        const result = streamText({
          ...settings(bench),
          prompt: input,
          abortSignal: leave.signal,
          onError: () => undefined,
          headers: { ...NO_CACHE, 'x-unbroken-on-abort': 'cancel', 'idempotency-key': key },
        });
        await takeSome(result.textStream, 1);
        leave.abort();
        await waitForStatus(bench, bench.script.generationId(key), 'cancelled');
      },
    },
  };
}

export const aiSdkClients: readonly ClientUnderTest[] = [
  withModel('ai + @ai-sdk/openai, Responses', (url, apiKey, name) =>
    createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses(name),
  ),
  withModel('ai + @ai-sdk/openai, chat completions', (url, apiKey, name) =>
    createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(name),
  ),
  withModel('ai + @ai-sdk/anthropic, messages', (url, apiKey, name) =>
    createAnthropic({ baseURL: `${url}/v1`, apiKey })(name),
  ),
];
