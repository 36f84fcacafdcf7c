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

function settingsOf({ url, key }: Bench, modelOf: ModelOf) {
  return { model: modelOf(url, key, MODEL), maxOutputTokens: 4_000 };
}

async function answerInPlainText(bench: Bench, modelOf: ModelOf): Promise<void> {
  const { input, text } = await question(bench);
  const result = await generateText({ ...settingsOf(bench, modelOf), prompt: input, headers: NO_CACHE });
  same('text', result.text, text);
  same('finish', result.finishReason, 'stop');
}

async function streamAfterSilence(bench: Bench, modelOf: ModelOf): Promise<void> {
  const { input, text } = await question(bench, AFTER_SILENCE);
  const result = streamText({ ...settingsOf(bench, modelOf), prompt: input, headers: NO_CACHE });
  let joined = '';
  for await (const delta of result.textStream) joined += delta;
  same('text', joined, text);
  same('tokens', (await result.usage).outputTokens, 60);
}

async function callTool(bench: Bench, modelOf: ModelOf): Promise<void> {
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
    ...settingsOf(bench, modelOf),
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
}

function resumeByKey(bench: Bench, modelOf: ModelOf) {
  return oneCall(bench, async () => {
    const { input, text } = await question(bench, { tokens: 150, delayMs: 5 });
    const headers = { ...NO_CACHE, 'idempotency-key': newKey() };
    const leave = new AbortController();
    const cut = streamText({
      ...settingsOf(bench, modelOf),
      prompt: input,
      headers,
      maxRetries: 0,
      abortSignal: leave.signal,
      onError: () => undefined,
    });
    await takeSome(cut.textStream, 10);
    leave.abort();
    const again = await generateText({ ...settingsOf(bench, modelOf), prompt: input, headers });
    same('text', again.text, text);
  });
}

async function reportUnknownModel(bench: Bench, modelOf: ModelOf): Promise<void> {
  const unknown = generateText({
    model: modelOf(bench.url, bench.key, 'no-such'),
    prompt: 'x',
    maxRetries: 0,
  });
  const error = await failureOf('an unknown model', unknown);
  same('status', fieldOf(error, 'statusCode'), 404);
  holds('not to be tried again', fieldOf(error, 'isRetryable') === false);
}

async function cancelOnAbort(bench: Bench, modelOf: ModelOf): Promise<void> {
  const { input } = await question(bench, LONG);
  const leave = new AbortController();
  const key = newKey();
  const result = streamText({
    ...settingsOf(bench, modelOf),
    prompt: input,
    abortSignal: leave.signal,
    onError: () => undefined,
    headers: { ...NO_CACHE, 'x-unbroken-on-abort': 'cancel', 'idempotency-key': key },
  });
  await takeSome(result.textStream, 1);
  leave.abort();
  await waitForStatus(bench, bench.script.generationId(key), 'cancelled');
}

function withModel(name: string, modelOf: ModelOf): ClientUnderTest {
  return {
    name,
    behaviours: {
      plain: (bench) => answerInPlainText(bench, modelOf),
      streaming: (bench) => streamAfterSilence(bench, modelOf),
      'tool call': (bench) => callTool(bench, modelOf),
      resume: (bench) => resumeByKey(bench, modelOf),
      error: (bench) => reportUnknownModel(bench, modelOf),
      cancel: (bench) => cancelOnAbort(bench, modelOf),
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
