/** Cohere's chat (v2). A call whose reader leaves ends. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Message } from '../../../contracts/content.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import type { Ending, ErrorKind, Wire } from '../serve-call.ts';
import type { AnswerToken } from '../true-text.ts';
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
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: contentSchema.optional(),
  tool_call_id: z.string().optional(),
  tool_calls: z
    .array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }))
    .optional(),
});
const requestSchema = z.object({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  max_tokens: z.int().optional(),
  stream: z.boolean().optional(),
  tools: z
    .array(
      z.object({ function: z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()) }) }),
    )
    .optional(),
  tool_choice: z.enum(['REQUIRED', 'NONE']).optional(),
  response_format: z.object({ json_schema: z.record(z.string(), z.unknown()).optional() }).optional(),
  thinking: z.object({ type: z.enum(['enabled', 'disabled']) }).optional(),
});

const FINISH = {
  stop: 'COMPLETE',
  length: 'MAX_TOKENS',
  'tool-calls': 'TOOL_CALL',
  'content-filter': 'ERROR_TOXIC',
  refusal: 'ERROR_TOXIC',
} as const satisfies Record<Ending['reason'], string>;

export const cohereWire: Wire = {
  name: 'cohere',
  newId: () => randomUUID(),
  read(path, given) {
    if (path !== '/v2/chat') return null;
    const body = requestSchema.parse(given);
    const system = body.messages.filter(({ role }) => role === 'system').map(({ content }) => content);
    const schema = body.response_format?.json_schema;
    const choice = body.tool_choice;
    return {
      model: body.model,
      input: {
        system: system.length === 0 ? undefined : system.join('\n'),
        messages: body.messages.filter(({ role }) => role !== 'system').flatMap(toMessages),
        tools: body.tools?.map((tool) => tool.function),
        toolChoice: choice === undefined ? undefined : choice === 'NONE' ? 'none' : 'required',
        output: schema === undefined ? undefined : { schema },
        thinks: body.thinking?.type === 'enabled',
      },
      maxTokens: body.max_tokens,
      isStream: body.stream === true,
    };
  },
  error: errorBody,
  writer(call, response) {
    let place = -1;
    let open = '';
    const send = (event: { type: string; [field: string]: unknown }) =>
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    const close = () => {
      if (open !== '')
        send({ type: open.startsWith('tool') ? 'tool-call-end' : 'content-end', index: place });
    };
    return {
      begin: () => send({ type: 'message-start', id: call.id, delta: { message: { role: 'assistant' } } }),
      token(token) {
        const name = token.kind === 'tool' ? `tool${token.call}` : token.kind;
        if (name !== open) {
          close();
          open = name;
          place += 1;
          send({ ...startOf(call, token), index: place });
        }
        send({ ...deltaOf(token), index: place });
      },
      end({ reason, usage }) {
        close();
        const delta = {
          finish_reason: FINISH[reason],
          ...(usage === null ? {} : { usage: toWireUsage(usage) }),
        };
        send({ type: 'message-end', delta });
        response.write('data: [DONE]\n\n');
      },
      broken: () => 'event: content-delta\ndata: {"type": "bro\n\n',
      error: () => send({ type: 'message-end', delta: { finish_reason: 'ERROR', error: 'Simulated.' } }),
    };
  },
  whole(call, { reason, usage }) {
    const made = call.run.tokens.slice(0, call.run.made);
    const text = made.flatMap((token) => (token.kind === 'text' ? [token.text] : [])).join('');
    const calls = call.toolCalls.map(({ id, name }, index) => {
      const json = made.flatMap((token) =>
        token.kind === 'tool' && token.call === index ? [token.text] : [],
      );
      return { id, type: 'function', function: { name, arguments: json.join('') } };
    });
    return {
      id: call.id,
      finish_reason: FINISH[reason],
      message: {
        role: 'assistant',
        content: text === '' ? [] : [{ type: 'text', text }],
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
      ...(usage === null ? {} : { usage: toWireUsage(usage) }),
    };
  },
};

function errorBody(_status: number, kind: ErrorKind, message: string) {
  return {
    message:
      kind === 'context-length'
        ? 'too many tokens: total number of tokens in the prompt cannot exceed 128000 - received 200000.'
        : message,
  };
}

function startOf(call: SimulatedCall, token: AnswerToken) {
  if (token.kind === 'tool') {
    const { id, name } = call.toolCalls[token.call] ?? {};
    const tool_calls = { id, type: 'function', function: { name, arguments: '' } };
    return { type: 'tool-call-start', delta: { message: { tool_calls } } };
  }
  const content = token.kind === 'text' ? { type: 'text', text: '' } : { type: 'thinking', thinking: '' };
  return { type: 'content-start', delta: { message: { content } } };
}

function deltaOf({ kind, text }: AnswerToken) {
  if (kind === 'tool') {
    return {
      type: 'tool-call-delta',
      delta: { message: { tool_calls: { function: { arguments: text } } } },
    };
  }
  const content = kind === 'text' ? { text } : { thinking: text };
  return { type: 'content-delta', delta: { message: { content } } };
}

/** It tells no reasoning apart. */
function toWireUsage({ input, cached, output }: SimulatedUsage) {
  const counted = { input_tokens: input, output_tokens: output };
  return { billed_units: counted, tokens: counted, cached_tokens: cached };
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
