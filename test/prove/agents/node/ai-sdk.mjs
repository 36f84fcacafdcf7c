/** The AI SDK (npm) with its packages for Responses, the messages API and OpenAI-compatible servers. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import * as ai from 'ai';
import { z } from 'zod';
import { lookUp, PLAN, report } from './report.mjs';

const { questions, wire, model, key: apiKey } = PLAN;
const { generateText, streamText, tool } = ai;
const stopWhen = (ai.isStepCount ?? ai.stepCountIs)(3);

function modelAt(url) {
  const baseURL = `${url}/v1`;
  if (wire === 'messages') return createAnthropic({ baseURL, apiKey })(model);
  if (wire === 'responses') return createOpenAI({ baseURL, apiKey })(model);
  return createOpenAICompatible({ name: 'unbroken', baseURL, apiKey })(model);
}
const ask = async (prompt, url = PLAN.url) => ({
  answers: [(await generateText({ model: modelAt(url), prompt })).text],
});

await report({
  plain: () => ask(questions.plain),
  streaming: async () => {
    const { textStream } = streamText({ model: modelAt(PLAN.url), prompt: questions.streaming });
    const chunks = await Array.fromAsync(textStream);
    return { answers: [chunks.join('')], chunks: chunks.length };
  },
  'tool round trip': async () => {
    const look_up = tool({
      description: 'Looks a topic up in the almanac.',
      inputSchema: z.object({ topic: z.string() }),
      execute: lookUp,
    });
    const answer = await generateText({
      model: modelAt(PLAN.url),
      prompt: questions.tool,
      tools: { look_up },
      stopWhen,
    });
    return { answers: [answer.text] };
  },
  'second turn': async () => {
    const asked = { role: 'user', content: questions.first };
    const first = await generateText({ model: modelAt(PLAN.url), messages: [asked] });
    const messages = [asked, ...first.response.messages, { role: 'user', content: questions.second }];
    const second = await generateText({ model: modelAt(PLAN.url), messages });
    return { answers: [first.text, second.text] };
  },
  'dropped connection': () => ask(questions.dropped, PLAN.cutUrl),
});
