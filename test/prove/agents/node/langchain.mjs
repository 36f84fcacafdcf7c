/** LangChain's chat models, and its agent (npm). */
import { ChatAnthropic } from '@langchain/anthropic';
import { ChatOpenAI } from '@langchain/openai';
import { createAgent, tool } from 'langchain';
import { z } from 'zod';
import { lookUp, PLAN, report } from './report.mjs';

const { questions, wire, model: name, key: apiKey } = PLAN;

function modelAt(url) {
  if (wire === 'messages') return new ChatAnthropic({ model: name, apiKey, anthropicApiUrl: url });
  const configuration = { baseURL: `${url}/v1` };
  return new ChatOpenAI({ model: name, apiKey, configuration, useResponsesApi: wire === 'responses' });
}
const user = (content) => ({ role: 'user', content });

await report({
  plain: async () => ({ answers: [(await modelAt(PLAN.url).invoke(questions.plain)).text] }),
  streaming: async () => {
    const stream = await modelAt(PLAN.url).stream(questions.streaming);
    const chunks = await Array.fromAsync(stream, (chunk) => chunk.text);
    return { answers: [chunks.join('')], chunks: chunks.filter((chunk) => chunk !== '').length };
  },
  'tool round trip': async () => {
    const description = 'Looks a topic up in the almanac.';
    const look_up = tool(lookUp, { name: 'look_up', description, schema: z.object({ topic: z.string() }) });
    const agent = createAgent({ model: modelAt(PLAN.url), tools: [look_up] });
    const { messages } = await agent.invoke({ messages: [user(questions.tool)] });
    return { answers: [messages.at(-1).text] };
  },
  'second turn': async () => {
    const talk = [user(questions.first)];
    const first = await modelAt(PLAN.url).invoke(talk);
    const second = await modelAt(PLAN.url).invoke([...talk, first, user(questions.second)]);
    return { answers: [first.text, second.text] };
  },
  'dropped connection': async () => ({
    answers: [(await modelAt(PLAN.cutUrl).invoke(questions.dropped)).text],
  }),
});
