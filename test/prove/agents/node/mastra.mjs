/** Mastra (npm), over the AI SDK's OpenAI package and over its own model router. */
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';
import { lookUp, PLAN, report } from './report.mjs';

const { questions, wire, model: modelId, key: apiKey } = PLAN;

function agentAt(url, tools = {}) {
  const baseURL = `${url}/v1`;
  const ofWire =
    wire === 'responses'
      ? createOpenAI({ baseURL, apiKey })(modelId)
      : { providerId: 'unbroken', modelId, url: baseURL, apiKey };
  const model = [{ model: ofWire, maxRetries: 2 }];
  return new Agent({ id: 'helper', name: 'helper', instructions: 'Help.', model, tools });
}
const ask = async (question, url = PLAN.url) => ({ answers: [(await agentAt(url).generate(question)).text] });

await report({
  plain: () => ask(questions.plain),
  streaming: async () => {
    const { textStream } = await agentAt(PLAN.url).stream(questions.streaming);
    const chunks = await Array.fromAsync(textStream);
    return { answers: [chunks.join('')], chunks: chunks.length };
  },
  'tool round trip': async () => {
    const look_up = createTool({
      id: 'look_up',
      description: 'Looks a topic up in the almanac.',
      inputSchema: z.object({ topic: z.string() }),
      execute: async (input) => lookUp(input.context ?? input),
    });
    return { answers: [(await agentAt(PLAN.url, { look_up }).generate(questions.tool)).text] };
  },
  'second turn': async () => {
    const first = (await agentAt(PLAN.url).generate(questions.first)).text;
    const talk = [
      { role: 'user', content: questions.first },
      { role: 'assistant', content: first },
      { role: 'user', content: questions.second },
    ];
    return { answers: [first, (await agentAt(PLAN.url).generate(talk)).text] };
  },
  'dropped connection': () => ask(questions.dropped, PLAN.cutUrl),
});
