/** OpenAI's chat completions, as most vendors speak them. A call whose reader leaves ends. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Message } from '../../../contracts/content.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import type { Ending, Wire } from '../serve-call.ts';
import { openAiError, toolChoiceSchema } from './openai-parts.ts';
import { imagePart, messageOf, textPart } from './read-parts.ts';

const contentSchema = z.union([
  z.string(),
  z.array(
    z.union([
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) }),
    ]),
  ),
]);
const messageSchema = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: contentSchema.nullish(),
  tool_call_id: z.string().optional(),
  tool_calls: z
    .array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }))
    .optional(),
});
const requestSchema = z.object({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  max_tokens: z.int().nullish(),
  max_completion_tokens: z.int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z
    .array(
      z.object({ function: z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()) }) }),
    )
    .nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  response_format: z
    .object({ json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }).optional() })
    .nullish(),
  reasoning_effort: z.string().nullish(),
});

/** Azure names the deployment in the path. */
const PATH = /^\/(v1|openai\/deployments\/[^/]+)\/chat\/completions$/;

const FINISH = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  refusal: 'stop',
} as const satisfies Record<Ending['reason'], string>;

export const chatWire: Wire = {
  name: 'openai-chat',
  newId: () => `chatcmpl-${randomBytes(12).toString('hex')}`,
  read(path, given) {
    if (!PATH.test(path)) return null;
    const body = requestSchema.parse(given);
    const isSystem = ({ role }: { role: string }) => role === 'system' || role === 'developer';
    const system = body.messages.filter(isSystem).map(({ content }) => content);
    const schema = body.response_format?.json_schema?.schema;
    return {
      model: body.model,
      input: {
        system: system.length === 0 ? undefined : system.join('\n'),
        messages: body.messages.filter((message) => !isSystem(message)).flatMap(toMessages),
        tools: body.tools?.map((tool) => tool.function),
        toolChoice: body.tool_choice ?? undefined,
        output: schema === undefined ? undefined : { schema },
        thinks: Boolean(body.reasoning_effort),
      },
      maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
      isStream: body.stream === true,
      wantsUsage: body.stream_options?.include_usage === true,
    };
  },
  error: openAiError,
  writer(call, response) {
    const begun = new Set<number>();
    const send = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    const choice = (delta: object, finish_reason: string | null = null, more = {}) =>
      send({
        ...headOf(call, 'chat.completion.chunk'),
        choices: [{ index: 0, delta, finish_reason }],
        ...more,
      });
    return {
      begin: () => choice({ role: 'assistant', content: '' }),
      token(token) {
        if (token.kind === 'text') choice({ content: token.text });
        // Under both names that vendors use, as some do.
        else if (token.kind === 'reasoning') choice({ reasoning_content: token.text, reasoning: token.text });
        else {
          const { id, name } = call.toolCalls[token.call] ?? {};
          const first = begun.has(token.call) ? {} : { id, type: 'function' };
          const called = { ...(begun.has(token.call) ? {} : { name }), arguments: token.text };
          begun.add(token.call);
          choice({ tool_calls: [{ index: token.call, ...first, function: called }] });
        }
      },
      end({ reason, usage }) {
        if (reason === 'refusal') choice({ refusal: 'I cannot help with that.' });
        // Who did not ask for it finds it where Groq puts it.
        const isAsked = call.wantsUsage;
        const groq = usage === null || isAsked ? {} : { x_groq: { id: call.id, usage: toWireUsage(usage) } };
        choice({}, FINISH[reason], groq);
        if (usage !== null && isAsked) {
          send({ ...headOf(call, 'chat.completion.chunk'), choices: [], usage: toWireUsage(usage) });
        }
        response.write('data: [DONE]\n\n');
      },
      broken: () => 'data: {"type": "bro\n\n',
      error: () => send(openAiError(500, 'plain', 'Simulated.')),
    };
  },
  whole(call, { reason, usage }) {
    const made = call.run.tokens.slice(0, call.run.made);
    const joined = (kind: 'text' | 'reasoning') =>
      made.flatMap((token) => (token.kind === kind ? [token.text] : [])).join('');
    const calls = call.toolCalls.map(({ id, name }, index) => {
      const written = made.flatMap((token) =>
        token.kind === 'tool' && token.call === index ? [token.text] : [],
      );
      return { id, type: 'function', function: { name, arguments: written.join('') } };
    });
    const thoughts = joined('reasoning');
    const message = {
      role: 'assistant',
      content: joined('text') || null,
      refusal: null,
      ...(thoughts === '' ? {} : { reasoning_content: thoughts }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
    return {
      ...headOf(call, 'chat.completion'),
      choices: [{ index: 0, message, finish_reason: FINISH[reason] }],
      ...(usage === null ? {} : { usage: toWireUsage(usage) }),
    };
  },
};

function headOf({ id, startedAt, model }: SimulatedCall, object: string) {
  return { id, object, created: Math.floor(startedAt / 1_000), model };
}

function toWireUsage({ input, cached, written, output, reasoning }: SimulatedUsage) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function toMessages({ role, content, tool_call_id, tool_calls }: z.infer<typeof messageSchema>): Message[] {
  const said =
    typeof content === 'string'
      ? textPart(content)
      : (content ?? []).flatMap((part) =>
          part.type === 'text' ? textPart(part.text) : [imagePart(part.image_url.url)],
        );
  if (role === 'tool') {
    const text = said.map((part) => (part.type === 'text' ? part.text : '')).join('');
    return messageOf('user', [{ type: 'tool-result', id: tool_call_id ?? '', content: text }]);
  }
  const calls = (tool_calls ?? []).map(({ id, function: called }) => ({
    type: 'tool-call' as const,
    id,
    name: called.name,
    arguments: called.arguments,
  }));
  return messageOf(role === 'assistant' ? 'assistant' : 'user', [...said, ...calls]);
}
