/** The three formats whose fields are checked, and the providers that a request of each is sent to. */
import { fileURLToPath } from 'node:url';
import type { RequestFormat } from '../../../contracts/content.ts';
import { Examples, type ExampleValues, reachableObjects } from './examples.ts';
import { type ObjectType, SdkTypes } from './read-types.ts';

/** The formats of providers, each by the simulated provider that speaks it. */
export const UPSTREAMS = {
  'openai-chat': 'simulated-chat',
  'openai-responses': 'simulated',
  'anthropic-messages': 'simulated-messages',
  google: 'simulated-google',
} as const;
export type Upstream = keyof typeof UPSTREAMS;

export interface Format {
  readonly name: RequestFormat;
  readonly title: string;
  readonly sdk: string;
  readonly path: string;
  readonly root: ObjectType;
  readonly examples: Examples;
  /** Adds what every request needs. */
  complete(body: Record<string, unknown>, model: string): Record<string, unknown>;
}

// The word JSON: where a request for JSON lacks it, it is added for the vendors that demand it.
const USER = 'Say a word, in JSON or not. [[sim tokens=1 delay_ms=0]]';
const FIRST = [{ role: 'user', content: 'An earlier question.' }];
const PNG = 'iVBORw0KGgo=';
const PICTURE = 'https://example.com/a.png';

/** A schema that strict mode takes. */
const CLOSED = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
} as const;

/** Fields whose value must be of a kind, in every format. */
const COMMON: ExampleValues = {
  url: PICTURE,
  data: PNG,
  file_data: 'data:application/pdf;base64,JVBERi0=',
  file_url: 'https://example.com/a.pdf',
  metadata: { key: 'value' },
  parameters: CLOSED,
  schema: { ...CLOSED, title: 'Answer' },
  temperature: 0.5,
  top_p: 0.5,
  stop: ['END'],
  service_tier: 'flex',
  detail: 'low',
  parallel_tool_calls: false,
};

const CHAT: ExampleValues = {
  ...COMMON,
  n: 2,
  reasoning_effort: 'high',
  response_format: { type: 'json_object' },
  'ChatCompletionCreateParamsBase.messages': FIRST,
  top_logprobs: 2,
  frequency_penalty: 0.5,
  presence_penalty: 0.5,
  logit_bias: { 50256: -100 },
  'ChatCompletionContentPart.File.File.file_data!': COMMON['file_data'],
  'ChatCompletionAllowedTools.tools': [{ type: 'function', function: { name: 'lookup' } }],
  'ChatCompletionAssistantMessageParam.content!': 'An earlier answer.',
  'ResponseFormatJSONSchema.JSONSchema.name': 'value-of-name',
  'ChatCompletionMessageFunctionToolCall.id': 'call_1',
  'ChatCompletionToolMessageParam.tool_call_id': 'call_2',
  'ChatCompletionMessageFunctionToolCall.Function.arguments': '{"a":"b"}',
  'ResponseFormatJSONSchema.JSONSchema.schema!': COMMON['schema'],
  'ChatCompletionFunctionMessageParam.content': 'The result of a function.',
  'ChatCompletionAssistantMessageParam.FunctionCall.arguments': '{"a":"b"}',
};

const RESPONSES: ExampleValues = {
  ...COMMON,
  effort: 'high',
  'ResponseCreateParamsBase.reasoning': { effort: 'high' },
  'ResponseCreateParamsBase.text': { format: { type: 'json_object' } },
  'ResponseTextConfig.format': { type: 'json_object' },
  'ResponseCreateParamsBase.input': FIRST,
  top_logprobs: 2,
  include: ['reasoning.encrypted_content'],
  'ResponseCreateParams.ContextManagement.type': 'compaction',
  'ResponseInputItem.FunctionCallOutput.call_id!': 'call_1',
  'ResponseInputImage.image_url!': PICTURE,
  'ResponseInputImageContent.image_url!': PICTURE,
  'ResponseReasoningItem.encrypted_content!': 'encrypted thoughts',
  'ResponseFormatTextJSONSchemaConfig.name': 'value-of-name',
  'ToolChoiceAllowed.tools': [{ type: 'function', name: 'lookup' }],
  'ResponseFunctionToolCall.call_id': 'call_2',
  'ResponseCustomToolCall.call_id': 'call_3',
  'ResponseCustomToolCallOutput.call_id': 'call_4',
  'ResponseFunctionToolCall.arguments': '{"a":"b"}',
  // The name of the tool within it must not make the name that a model sees too long.
  'NamespaceTool.Function.name': 'inner',
};

const MESSAGES: ExampleValues = {
  ...COMMON,
  budget_tokens: 2_048,
  effort: 'high',
  output_config: { effort: 'high' },
  'MessageCreateParamsBase.messages': FIRST,
  stop_sequences: ['END'],
  max_tokens: 4_000,
  input: { a: 'b' },
  'Tool.input_schema': CLOSED,
  'Base64ImageSource.media_type': 'image/png',
  'ToolUseBlockParam.id': 'toolu_1',
  'ToolResultBlockParam.tool_use_id': 'toolu_2',
  'PlainTextSource.data': 'The text of a document.',
  'Tool.InputSchema.properties': { a: { type: 'string' } },
};

function readRoot(path: string, name: string): ObjectType {
  return new SdkTypes().read(fileURLToPath(new URL(`../../../node_modules/${path}`, import.meta.url)), name);
}

const isEmpty = (value: unknown) => value === undefined || (Array.isArray(value) && value.length === 0);

/** Choices of tools need tools. */
function withTools(body: Record<string, unknown>, tool: object): Record<string, unknown> {
  return isEmpty(body['tools']) ? { ...body, tools: [tool] } : body;
}

function withUser(list: unknown): unknown[] {
  return [...(Array.isArray(list) ? list : []), { role: 'user', content: USER }];
}

/** Calls of tools stand in the turns of the assistant. */
function inTheirPlaces(messages: unknown): unknown {
  return JSON.parse(
    JSON.stringify(messages ?? []),
    (_key, value: { role?: string; content?: { type?: string }[] }) =>
      value?.role === 'user' && value.content?.[0]?.type === 'tool_use'
        ? { ...value, role: 'assistant' }
        : value,
  );
}

interface ChatTurn {
  readonly role?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string }[];
  readonly name?: string;
  readonly function_call?: { readonly name: string };
}

/** Vendors want a result after each call, and a call before each result. */
function pairedChat(messages: unknown): unknown[] {
  return listOf<ChatTurn>(messages).flatMap((turn): object[] => {
    const call = { id: turn.tool_call_id, type: 'function', function: { name: 'lookup', arguments: '{}' } };
    if (turn.role === 'tool') return [{ role: 'assistant', tool_calls: [call] }, turn];
    if (turn.role === 'function') {
      return [{ role: 'assistant', function_call: { name: turn.name, arguments: '{}' } }, turn];
    }
    if (turn.function_call) return [turn, { role: 'function', name: turn.function_call.name, content: 'a' }];
    const results = (turn.tool_calls ?? []).map(({ id }) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'a',
    }));
    return [turn, ...results];
  });
}

interface Item {
  readonly type?: string;
  readonly call_id?: string;
}

function pairedItems(items: unknown): unknown[] {
  return listOf<Item>(items).flatMap((item): object[] => {
    const { type, call_id } = item;
    if (type === 'function_call_output') {
      return [{ type: 'function_call', call_id, name: 'lookup', arguments: '{}' }, item];
    }
    if (type === 'reasoning') return [item, { role: 'assistant', content: 'An earlier answer.' }];
    const custom = { call_id, name: 'lookup', input: 'a' };
    if (type === 'custom_tool_call_output') return [{ type: 'custom_tool_call', ...custom }, item];
    if (type === 'custom_tool_call') return [item, { type: 'custom_tool_call_output', call_id, output: 'a' }];
    return type === 'function_call' ? [item, { type: 'function_call_output', call_id, output: 'a' }] : [item];
  });
}

interface Turn {
  readonly content?: unknown;
}
interface Block {
  readonly type?: string;
  readonly id?: string;
  readonly tool_use_id?: string;
}

function pairedBlocks(messages: unknown): unknown[] {
  return listOf<Turn>(messages).flatMap((turn): object[] => {
    const blocks = listOf<Block>(turn.content);
    const calls = blocks.filter(({ type }) => type === 'tool_result').map(({ tool_use_id: id }) => ({ id }));
    const uses = calls.map(({ id }) => ({ type: 'tool_use', id, name: 'lookup', input: {} }));
    const results = blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'a' }));
    return [
      ...(uses.length === 0 ? [] : [{ role: 'assistant', content: uses }]),
      turn,
      ...(results.length === 0 ? [] : [{ role: 'user', content: results }]),
    ];
  });
}

function listOf<Value>(value: unknown): readonly Value[] {
  return Array.isArray(value) ? (value as Value[]) : [];
}

export const FORMATS: readonly Format[] = [
  {
    name: 'openai-chat',
    title: 'Chat completions',
    sdk: 'openai',
    path: '/v1/chat/completions',
    root: readRoot('openai/resources/chat/completions/completions.d.ts', 'ChatCompletionCreateParamsBase'),
    examples: new Examples(CHAT),
    complete: (body, model) => {
      const tool = { type: 'function', function: { name: 'lookup', parameters: COMMON['parameters'] } };
      const logprobs = body['top_logprobs'] === undefined ? {} : { logprobs: true };
      return {
        ...(body['function_call'] === undefined && isEmpty(body['functions'])
          ? withTools(body, tool)
          : { functions: [tool.function], ...body }),
        ...logprobs,
        model,
        messages: withUser(pairedChat(body['messages'])),
      };
    },
  },
  {
    name: 'openai-responses',
    title: 'Responses',
    sdk: 'openai',
    path: '/v1/responses',
    root: readRoot('openai/resources/responses/responses.d.ts', 'ResponseCreateParamsBase'),
    examples: new Examples(RESPONSES),
    complete: (body, model) => {
      const tool = { type: 'function', name: 'lookup', parameters: COMMON['parameters'], strict: false };
      return { ...withTools(body, tool), model, input: withUser(pairedItems(body['input'])) };
    },
  },
  {
    name: 'anthropic-messages',
    title: 'Messages',
    sdk: '@anthropic-ai/sdk',
    path: '/v1/messages',
    root: readRoot('@anthropic-ai/sdk/resources/messages/messages.d.ts', 'MessageCreateParamsBase'),
    examples: new Examples(MESSAGES),
    complete: (body, model) => {
      const tool = { name: 'lookup', input_schema: COMMON['parameters'] };
      return {
        ...withTools(body, tool),
        model,
        messages: withUser(pairedBlocks(inTheirPlaces(body['messages']))),
      };
    },
  },
];

/** The names of all fields, as `Type.field`, in the order of the types. */
export function fieldNames({ root }: Format): readonly string[] {
  return reachableObjects(root).flatMap(({ object }) =>
    [...object.fields.keys()].map((field) => `${object.name}.${field}`),
  );
}
