/** Cohere's chat (v2). A call ends when its reader disconnects. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import { COHERE_RULES } from '../rules/cohere-rules.ts';
import type { AnswerWriter, Ending, ErrorKind, Wire } from '../serve-call.ts';
import type { AnswerToken } from '../true-text.ts';
import { chatMessageSchema, readChatMessage } from './chat-messages.ts';
import { generatedArguments, generatedText } from './generated-parts.ts';

const requestSchema = z.object({
  model: z.string(),
  messages: z.array(chatMessageSchema).min(1),
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
  owns: (path) => path === '/v2/chat',
  rules: COHERE_RULES,
  refusal: (_status, { message }) => ({ id: randomUUID(), message }),
  brokenBody: 'invalid request: the request body is not valid JSON.',
  read(_path, json) {
    const body = requestSchema.parse(json);
    const format = body.response_format;
    const schema = format === undefined ? undefined : (format.json_schema ?? { type: 'object' });
    const choice = body.tool_choice;
    return {
      model: body.model,
      input: {
        messages: body.messages.flatMap(readChatMessage),
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
  writer: (call, response) => new CohereWriter(call, response),
  whole(call, { reason, usage }) {
    const text = generatedText(call, 'text');
    const calls = call.toolCalls.map(({ id, name }, place) => ({
      id,
      type: 'function',
      function: { name, arguments: generatedArguments(call, place) },
    }));
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

/** One part is open at a time; a token of another kind ends it and starts the next. */
class CohereWriter implements AnswerWriter {
  readonly #call: SimulatedCall;
  readonly #response: ServerResponse;
  #place = -1;
  /** The kind of the open part; '' before the first. */
  #open = '';

  constructor(call: SimulatedCall, response: ServerResponse) {
    this.#call = call;
    this.#response = response;
  }

  begin(): void {
    this.#send({ type: 'message-start', id: this.#call.id, delta: { message: { role: 'assistant' } } });
  }

  token(token: AnswerToken): void {
    const part = token.kind === 'tool' ? `tool${token.call}` : token.kind;
    if (part !== this.#open) {
      this.#close();
      this.#open = part;
      this.#place += 1;
      this.#send({ ...startOf(this.#call, token), index: this.#place });
    }
    this.#send({ ...deltaOf(token), index: this.#place });
  }

  end({ reason, usage }: Ending): void {
    this.#close();
    const counted = usage === null ? {} : { usage: toWireUsage(usage) };
    this.#send({ type: 'message-end', delta: { finish_reason: FINISH[reason], ...counted } });
    this.#response.write('data: [DONE]\n\n');
  }

  ping(): void {
    this.#response.write(': keep-alive\n\n');
  }

  broken(): string {
    return 'event: content-delta\ndata: {"type": "bro\n\n';
  }

  error(): void {
    this.#send({ type: 'message-end', delta: { finish_reason: 'ERROR', error: 'Simulated.' } });
  }

  #close(): void {
    if (this.#open === '') return;
    this.#send({ type: this.#open.startsWith('tool') ? 'tool-call-end' : 'content-end', index: this.#place });
  }

  #send(event: { type: string; [field: string]: unknown }): void {
    this.#response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

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

/** Reasoning is not counted separately. */
function toWireUsage({ input, cached, output }: SimulatedUsage) {
  const counted = { input_tokens: input, output_tokens: output };
  return { billed_units: counted, tokens: counted, cached_tokens: cached };
}
