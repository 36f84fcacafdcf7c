/**
 * Anthropic's Messages API. A call ends when its reader disconnects. The model continues a partial assistant turn at
 * the end of the conversation.
 */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Message, Part, ResultContent } from '../../../contracts/content.ts';
import type { SimulatedCall, SimulatedUsage } from '../calls.ts';
import { ANTHROPIC_RULES } from '../rules/anthropic-rules.ts';
import type { AnswerWriter, Ending, Wire } from '../serve-call.ts';
import { signThought } from '../thought-signatures.ts';
import type { AnswerToken } from '../true-text.ts';
import { generatedArguments, generatedText } from './generated-parts.ts';
import { filePart, imagePart, messageOf, textPart } from './read-parts.ts';

const blockSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('image'),
    source: z.union([
      z.object({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
      z.object({ type: z.literal('url'), url: z.string() }),
    ]),
  }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
  }),
  z.object({
    type: z.literal('document'),
    source: z.object({
      type: z.string(),
      media_type: z.string().optional(),
      data: z.string().optional(),
      url: z.string().optional(),
    }),
  }),
]);
const anyBlockSchema = z.union([blockSchema, z.object({ type: z.string() })]);
type Block = z.infer<typeof blockSchema>;
/** A family of tools that its members name, which the model that answers here does not know. */
const toolset = z.strictObject({
  type: z.string().regex(/^(?:browser|computer)_toolset_\d{8}$/),
  configs: z.record(z.string(), z.unknown()).nullish(),
  cache_control: z.unknown().optional(),
});
const requestSchema = z.object({
  model: z.string(),
  max_tokens: z.int().positive(),
  system: z.union([z.string(), z.array(z.object({ text: z.string() }))]).optional(),
  messages: z
    .array(
      z.object({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([z.string(), z.array(anyBlockSchema)]),
      }),
    )
    .min(1),
  stream: z.boolean().optional(),
  tools: z
    .array(
      z.union([
        z.object({ name: z.string(), input_schema: z.record(z.string(), z.unknown()).optional() }),
        toolset,
      ]),
    )
    .optional(),
  tool_choice: z
    .object({ type: z.enum(['auto', 'any', 'none', 'tool']), name: z.string().optional() })
    .optional(),
  thinking: z.object({ type: z.string() }).optional(),
  output_config: z
    .object({ format: z.object({ schema: z.record(z.string(), z.unknown()) }).optional() })
    .optional(),
});

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};
const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
  refusal: 'refusal',
} as const satisfies Record<Ending['reason'], string>;

export const anthropicWire: Wire = {
  name: 'anthropic',
  newId: () => `msg_${randomBytes(12).toString('hex')}`,
  owns: (path) => path === '/v1/messages',
  rules: ANTHROPIC_RULES,
  refusal: (status, { message }) => errorBody(status, 'plain', message),
  brokenBody: 'The request body is not valid JSON: unexpected character: line 1 column 1 (char 0)',
  read(_path, json) {
    const body = requestSchema.parse(json);
    const schema = body.output_config?.format?.schema;
    const choice = body.tool_choice;
    return {
      model: body.model,
      input: {
        system:
          typeof body.system === 'string' ? body.system : body.system?.map(({ text }) => text).join('\n\n'),
        messages: body.messages.flatMap(({ role, content }) => toMessages(role, content)),
        tools: body.tools?.flatMap((tool) =>
          'name' in tool ? [{ name: tool.name, parameters: tool.input_schema ?? {} }] : [],
        ),
        toolChoice:
          choice?.type === 'tool'
            ? { name: choice.name ?? '' }
            : ({ any: 'required', none: 'none', auto: 'auto' } as const)[choice?.type ?? 'auto'],
        output: schema === undefined ? undefined : { schema },
        thinks: body.thinking !== undefined && body.thinking.type !== 'disabled',
      },
      maxTokens: body.max_tokens,
      isStream: body.stream === true,
    };
  },
  error: errorBody,
  writer: (call, response) => new AnthropicWriter(call, response),
  whole(call, { reason, usage }) {
    const text = generatedText(call, 'text');
    const thinking = generatedText(call, 'reasoning');
    const signature = signThought(call.apiKey, thinking);
    const uses = call.toolCalls.map(({ id, name }, place) => {
      const input: unknown = JSON.parse(generatedArguments(call, place) || '{}');
      return { type: 'tool_use', id, name, input };
    });
    return {
      ...shellOf(call),
      content: [
        ...(thinking === '' ? [] : [{ type: 'thinking', thinking, signature }]),
        ...(text === '' ? [] : [{ type: 'text', text }]),
        ...uses,
      ],
      stop_reason: STOP_REASONS[reason],
      stop_sequence: null,
      ...(usage === null ? {} : { usage: toWireUsage(usage) }),
    };
  },
};

/** One content block is open at a time; a token of another kind closes it and opens the next. */
class AnthropicWriter implements AnswerWriter {
  readonly #call: SimulatedCall;
  readonly #response: ServerResponse;
  #place = -1;
  /** The kind of the open block; '' before the first. */
  #open = '';
  /** The text of the open block. */
  #text = '';

  constructor(call: SimulatedCall, response: ServerResponse) {
    this.#call = call;
    this.#response = response;
  }

  begin(): void {
    const { input, cached, written } = this.#call.usage();
    const usage = toWireUsage({ input, cached, written, output: 1, reasoning: 0 });
    this.#send({ type: 'message_start', message: { ...shellOf(this.#call), ...NO_STOP, usage } });
    this.#send({ type: 'ping' });
  }

  token(token: AnswerToken): void {
    const block = token.kind === 'tool' ? `tool${token.call}` : token.kind;
    if (block !== this.#open) {
      this.#close();
      this.#open = block;
      this.#text = '';
      this.#place += 1;
      const content_block = emptyBlock(this.#call, token);
      this.#send({ type: 'content_block_start', index: this.#place, content_block });
    }
    this.#text += token.text;
    this.#send({ type: 'content_block_delta', index: this.#place, delta: deltaOf(token) });
  }

  end({ reason, usage }: Ending): void {
    this.#close();
    const delta = { stop_reason: STOP_REASONS[reason], stop_sequence: null };
    this.#send({ type: 'message_delta', delta, ...(usage === null ? {} : { usage: toWireUsage(usage) }) });
    this.#send({ type: 'message_stop' });
  }

  ping(): void {
    this.#send({ type: 'ping' });
  }

  broken(): string {
    return 'event: content_block_delta\ndata: {"type": "bro\n\n';
  }

  error(): void {
    this.#send(errorBody(529, 'plain', 'Simulated.'));
  }

  #close(): void {
    if (this.#open === 'reasoning') {
      const delta = { type: 'signature_delta', signature: signThought(this.#call.apiKey, this.#text) };
      this.#send({ type: 'content_block_delta', index: this.#place, delta });
    }
    if (this.#open !== '') this.#send({ type: 'content_block_stop', index: this.#place });
  }

  #send(event: { type: string; [field: string]: unknown }): void {
    this.#response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}

const NO_STOP = { stop_reason: null, stop_sequence: null };

function shellOf({ id, model }: SimulatedCall) {
  return { id, type: 'message', role: 'assistant', model, content: [] as object[] };
}

function errorBody(status: number, kind: string, message: string) {
  const isTooLong = kind === 'context-length';
  return {
    type: 'error',
    error: {
      type: ERROR_TYPES[status] ?? 'api_error',
      message: isTooLong ? 'prompt is too long: 250000 tokens > 200000 maximum' : message,
    },
    request_id: `req_${randomBytes(8).toString('hex')}`,
  };
}

/** The counts of input are disjoint; those of output include thinking. */
function toWireUsage({ input, cached, written, writtenForHour = 0, output, reasoning }: SimulatedUsage) {
  return {
    input_tokens: input - cached - written,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: written,
    cache_creation: {
      ephemeral_5m_input_tokens: written - writtenForHour,
      ephemeral_1h_input_tokens: writtenForHour,
    },
    output_tokens: output,
    output_tokens_details: { thinking_tokens: reasoning },
  };
}

function emptyBlock(call: SimulatedCall, token: AnswerToken): object {
  if (token.kind === 'text') return { type: 'text', text: '' };
  if (token.kind === 'reasoning') return { type: 'thinking', thinking: '', signature: '' };
  return { type: 'tool_use', ...call.toolCalls[token.call], input: {} };
}

function deltaOf({ kind, text }: AnswerToken): object {
  if (kind === 'text') return { type: 'text_delta', text };
  return kind === 'reasoning'
    ? { type: 'thinking_delta', thinking: text }
    : { type: 'input_json_delta', partial_json: text };
}

function toMessages(role: Message['role'], content: string | z.infer<typeof anyBlockSchema>[]): Message[] {
  if (typeof content === 'string') return messageOf(role, textPart(content));
  return messageOf(role, content.flatMap(toParts));
}

function toParts(own: z.infer<typeof anyBlockSchema>): Part[] {
  const { data: block } = blockSchema.safeParse(own);
  switch (block?.type) {
    case 'text':
      return textPart(block.text);
    case 'image':
      return [imagePart(block.source.type === 'url' ? block.source.url : dataUrl(block.source))];
    case 'document':
      return toFile(block.source);
    case 'tool_use':
      return [{ type: 'tool-call', id: block.id, name: block.name, arguments: JSON.stringify(block.input) }];
    case 'tool_result': {
      const content =
        typeof block.content === 'string' ? block.content : (block.content ?? []).flatMap(toParts);
      return [{ type: 'tool-result', id: block.tool_use_id, content: content as ResultContent[] }];
    }
    default:
      return [];
  }
}

function dataUrl({ media_type, data }: { media_type?: string | undefined; data?: string | undefined }) {
  return `data:${media_type};base64,${data}`;
}

function toFile(source: Extract<Block, { type: 'document' }>['source']): Part[] {
  if (source.url !== undefined) return [filePart(source.url)];
  if (source.type === 'text') return textPart(source.data);
  return source.data === undefined ? [] : [filePart(dataUrl(source))];
}
