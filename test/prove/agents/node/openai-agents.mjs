/** @openai/agents (npm). */
import {
  Agent,
  MemorySession,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  setTracingDisabled,
  tool,
} from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';
import { lookUp, PLAN, report } from './report.mjs';

setTracingDisabled(true);
const { questions, wire, model, key: apiKey } = PLAN;

function agentAt(url, tools = []) {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });
  const OfWire = wire === 'responses' ? OpenAIResponsesModel : OpenAIChatCompletionsModel;
  return new Agent({ name: 'helper', model: new OfWire(client, model), tools });
}
const ask = async (question, url = PLAN.url, options = {}) =>
  (await run(agentAt(url), question, options)).finalOutput;

await report({
  plain: async () => ({ answers: [await ask(questions.plain)] }),
  streaming: async () => {
    const result = await run(agentAt(PLAN.url), questions.streaming, { stream: true });
    const chunks = await Array.fromAsync(result.toTextStream());
    return { answers: [result.finalOutput], chunks: chunks.length };
  },
  'tool round trip': async () => {
    const look_up = tool({
      name: 'look_up',
      description: 'Looks a topic up in the almanac.',
      parameters: z.object({ topic: z.string() }),
      execute: lookUp,
    });
    return { answers: [(await run(agentAt(PLAN.url, [look_up]), questions.tool)).finalOutput] };
  },
  'second turn': async () => {
    const session = new MemorySession();
    const first = await ask(questions.first, PLAN.url, { session });
    return { answers: [first, await ask(questions.second, PLAN.url, { session })] };
  },
  'dropped connection': async () => ({ answers: [await ask(questions.dropped, PLAN.cutUrl)] }),
});
