/**
 * Maps Anthropic's messages request to ours. A field that we cannot honour is refused by name; a field without effect
 * on the answer (such as `cache_control`) is ignored. Source: the types of the official client, MessageCreateParams.
 */
import { z } from 'zod';
import { jsonSchemaSchema, type Part, type ToolChoice } from '../../../contracts/content.ts';
import {
  type GenerationRequest,
  modelNameSchema,
  type ReasoningEffort,
} from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { Conversation, fieldIfPresent, joinSystemTexts } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import type { Origin, WireRequest } from '../wire.ts';

const textBlock = z.object({ type: z.literal('text'), text: z.string() });
const imageBlock = z.object({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.object({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
    z.object({ type: z.literal('url'), url: z.string() }),
  ]),
});
const toolUseBlock = z.object({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
});
const toolResultBlock = z.object({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  is_error: z.boolean().nullish(),
  content: z.union([z.string(), z.array(textBlock).max(LIMITS.partsPerMessage)]).nullish(),
});
/** Accepted and dropped: thinking is signed by its vendor, so no other model accepts it. */
const thinkingBlock = z.object({ type: z.enum(['thinking', 'redacted_thinking']) });
const blockSchema = z.discriminatedUnion('type', [
  textBlock,
  imageBlock,
  toolUseBlock,
  toolResultBlock,
  thinkingBlock,
]);
type Block = z.infer<typeof blockSchema>;

const toolSchema = z.object({
  type: z.literal('custom', 'only client tools are supported').nullish(),
  name: z.string(),
  description: z.string().nullish(),
  input_schema: jsonSchemaSchema,
});

const tokenCountShape = {
  model: modelNameSchema,
  messages: z
    .array(
      z.object({
        role: z.enum(['user', 'assistant']),
        content: z.union([z.string(), z.array(blockSchema).max(LIMITS.partsPerMessage)]),
      }),
    )
    .min(1)
    .max(LIMITS.itemsPerRequest),
  system: z.union([z.string(), z.array(textBlock).max(LIMITS.partsPerMessage)]).nullish(),
  tools: z.array(toolSchema).max(LIMITS.toolsPerRequest).nullish(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.object({ type: z.enum(['auto', 'any', 'none']) }),
      z.object({ type: z.literal('tool'), name: z.string() }),
    ])
    .nullish(),
  thinking: z.object({ type: z.string(), budget_tokens: z.int().positive().nullish() }).nullish(),
};

export const countTokensSchema = z.object(tokenCountShape);
export const messagesSchema = z.object({
  ...tokenCountShape,
  max_tokens: z.int().positive(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stop_sequences: z.array(z.string()).max(LIMITS.stopSequences).nullish(),
  metadata: z.object({ user_id: z.string().nullish() }).nullish(),
  output_config: z
    .object({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: z.object({ type: z.literal('json_schema'), schema: jsonSchemaSchema }).nullish(),
    })
    .nullish(),
});
type MessagesRequest = z.infer<typeof messagesSchema>;
export type TokenCountRequest = z.infer<typeof countTokensSchema>;

export function mapMessagesRequest(config: Config, body: MessagesRequest): WireRequest {
  const stop = body.stop_sequences;
  const schema = body.output_config?.format?.schema;
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    ...mapMessagesInput(body),
    maxOutputTokens: body.max_tokens,
    ...fieldIfPresent('temperature', body.temperature),
    ...fieldIfPresent('topP', body.top_p),
    ...fieldIfPresent('stop', stop?.length === 0 ? null : stop),
    ...fieldIfPresent('output', schema === undefined ? null : { name: 'answer', schema }),
    ...fieldIfPresent('reasoning', mapThinking(body)),
    ...endUserOf(body.metadata?.user_id),
  };
  return { request, origin: { format: 'anthropic-messages', model: body.model } satisfies Origin };
}

/** The part of a request that counts as input, for generations and for `count_tokens`. */
export function mapMessagesInput(body: TokenCountRequest): Pick<
  GenerationRequest,
  'input' | 'system' | 'tools' | 'toolChoice'
> & {
  input: GenerationRequest['input'];
} {
  const conversation = new Conversation();
  for (const { role, content } of body.messages) {
    if (typeof content === 'string') conversation.addTurn(role, content);
    else if (role === 'user') addUserTurn(conversation, content);
    else addAssistantTurn(conversation, content);
  }
  const system =
    typeof body.system === 'string' ? [body.system] : (body.system ?? []).map(({ text }) => text);
  const tools = body.tools?.map(({ name, description, input_schema: parameters }) => ({
    name,
    parameters,
    ...(description === null || description === undefined ? {} : { description }),
  }));
  return {
    input: [...conversation.messages],
    ...joinSystemTexts(system),
    ...(tools === undefined || tools.length === 0
      ? {}
      : { tools, ...mapMessagesToolChoice(body.tool_choice) }),
  };
}

function addUserTurn(conversation: Conversation, blocks: readonly Block[]): void {
  for (const block of blocks) {
    if (block.type !== 'tool_result') continue;
    const content =
      typeof block.content === 'string'
        ? block.content
        : (block.content ?? []).map(({ text }) => text).join('');
    conversation.addToolResult({ id: block.tool_use_id, content, isError: block.is_error === true });
  }
  conversation.addTurn('user', blocks.flatMap(blockParts));
}

function addAssistantTurn(conversation: Conversation, blocks: readonly Block[]): void {
  conversation.addTurn('assistant', blocks.flatMap(blockParts));
  for (const block of blocks) {
    if (block.type !== 'tool_use') continue;
    const { id, name, input } = block;
    conversation.addToolCall({ id, name, arguments: JSON.stringify(input ?? {}) });
  }
}

function blockParts(block: Block): Part[] {
  if (block.type === 'text') return block.text === '' ? [] : [{ type: 'text', text: block.text }];
  if (block.type !== 'image') return [];
  const { source } = block;
  const url = source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`;
  return [{ type: 'image', url }];
}

function mapMessagesToolChoice(choice: TokenCountRequest['tool_choice']): {
  readonly toolChoice?: ToolChoice;
} {
  if (choice === null || choice === undefined) return {};
  if (choice.type === 'tool') return { toolChoice: { name: choice.name } };
  return { toolChoice: choice.type === 'any' ? 'required' : choice.type };
}

/** `high` is the highest effort that all vendors have. */
const EFFORTS = { low: 'low', medium: 'medium', high: 'high', xhigh: 'high', max: 'high' } as const;

/** Anthropic sets effort and thinking apart. A thinking budget without an effort becomes the nearest effort. */
function mapThinking({
  thinking,
  output_config: config,
}: MessagesRequest): { effort: ReasoningEffort; thinks?: boolean } | null {
  const named = config?.effort ?? null;
  const effort = named === null ? null : EFFORTS[named];
  if (thinking === null || thinking === undefined || thinking.type === 'disabled') {
    return effort === null ? null : { effort, thinks: false };
  }
  if (effort !== null) return { effort };
  const budget = thinking.budget_tokens ?? 8_192;
  if (budget <= 4_096) return { effort: 'low' };
  return { effort: budget <= 16_384 ? 'medium' : 'high' };
}
