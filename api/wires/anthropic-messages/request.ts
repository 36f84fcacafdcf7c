/**
 * Maps Anthropic's messages request to ours. A field that our format lacks stays with what it belongs to and reaches
 * the providers of this format (docs/wires-fields.md). Source: the types of the official client, MessageCreateParams.
 */
import { z } from 'zod';
import type { ToolChoice, Tools } from '../../../contracts/content.ts';
import { jsonSchemaSchema } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import {
  type GenerationRequest,
  modelNameSchema,
  type ReasoningEffort,
} from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { effortOfBudget } from '../../../contracts/reasoning-budget.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { Conversation, fieldIfPresent, topKOf } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { nativeRequest, nativeRest } from '../native.ts';
import type { Origin, WireRequest } from '../wire.ts';
import { blockSchema, textBlock, toPart, toTextPart } from './blocks.ts';

const FORMAT = 'anthropic-messages';

/** The vendor's tools whose calls the client runs, in any version. All others run at the vendor. */
const CLIENT_TOOLS = /^(?:bash|text_editor|memory|computer)_\d{8}$/;
/** Families of such tools, each under the name of its member. */
const CLIENT_TOOLSETS = /^(?:browser|computer)_toolset_\d{8}$/;
const RUN_BY_CLIENT = 'only tools that the client runs are supported';

const toolSchema = z.union([
  z.looseObject({
    type: z.literal('custom').nullish(),
    name: z.string(),
    description: z.string().nullish(),
    input_schema: jsonSchemaSchema,
    strict: z.boolean().nullish(),
  }),
  z.looseObject({
    type: z.string().regex(CLIENT_TOOLS, { error: RUN_BY_CLIENT, abort: true }),
    name: z.string(),
  }),
  z.looseObject({
    type: z.string().regex(CLIENT_TOOLSETS, { error: RUN_BY_CLIENT, abort: true }),
    name: z.undefined().optional(),
  }),
]);

/** Of thinking without a budget. */
const USUAL_BUDGET = 8_192;
/** What the vendor does where a request names none. Source: "Effort". */
const USUAL_EFFORT = 'high';

const effortSchema = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);
const formatSchema = z.object({ type: z.literal('json_schema'), schema: jsonSchemaSchema });

const tokenCountShape = {
  model: modelNameSchema,
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([z.string(), z.array(blockSchema).max(LIMITS.partsPerMessage)]),
      }),
    )
    .min(1)
    .max(LIMITS.itemsPerRequest),
  system: z.union([z.string(), z.array(textBlock).max(LIMITS.partsPerMessage)]).nullish(),
  tools: z.array(toolSchema).max(LIMITS.toolsPerRequest).nullish(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.object({ type: z.enum(['auto', 'any']), disable_parallel_tool_use: z.boolean().nullish() }),
      z.object({
        type: z.literal('tool'),
        name: z.string(),
        disable_parallel_tool_use: z.boolean().nullish(),
      }),
      z.object({ type: z.literal('none') }),
    ])
    .nullish(),
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.int().positive().nullish() }).nullish(),
};

export const countTokensSchema = z.looseObject(tokenCountShape);
export const messagesSchema = z.looseObject({
  ...tokenCountShape,
  // 0: the prompt is read into the vendor's cache, and nothing is answered.
  max_tokens: z.int().nonnegative(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.int().min(-1).nullish(),
  stop_sequences: z.array(z.string()).max(LIMITS.stopSequences).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  output_format: formatSchema.nullish(),
  output_config: z.looseObject({ effort: effortSchema.nullish(), format: formatSchema.nullish() }).nullish(),
});
type MessagesRequest = z.infer<typeof messagesSchema>;
type TokenCountRequest = z.infer<typeof countTokensSchema>;

/**
 * The fields that are mapped; all others are `native`. The thinking and the effort of the caller are, besides: this
 * format sets the two apart, and no other does.
 */
const MAPPED = {
  model: true,
  messages: true,
  system: true,
  tools: true,
  tool_choice: true,
  max_tokens: true,
  stream: true,
  temperature: true,
  top_p: true,
  top_k: true,
  stop_sequences: true,
  output_format: true,
  output_config: { format: true },
} as const;

/** @param betas the names in the header `anthropic-beta`. */
export function mapMessagesRequest(
  config: Config,
  body: MessagesRequest,
  betas: readonly string[],
): WireRequest {
  const { stop_sequences: stop, max_tokens: cap } = body;
  if (cap === 0 && body.stream === true) {
    const message = 'max_tokens: Input should be greater than or equal to 1 in a stream';
    throw new UnbrokenError('invalid_request', message, { details: { param: 'max_tokens' } });
  }
  const schema = (body.output_config?.format ?? body.output_format)?.schema;
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    ...mapMessagesInput(body),
    // Only this vendor takes 0, and not of a stream.
    maxOutputTokens: Math.max(cap, 1),
    ...fieldIfPresent('temperature', body.temperature),
    ...fieldIfPresent('topP', body.top_p),
    ...fieldIfPresent('topK', topKOf(body.top_k)),
    ...fieldIfPresent('stop', stop?.length === 0 ? null : stop),
    ...fieldIfPresent('output', schema === undefined ? null : { name: 'answer', schema }),
    ...fieldIfPresent('reasoning', mapThinking(body)),
    ...endUserOf(body.metadata?.user_id),
    ...nativeRequest(FORMAT, body, MAPPED, betas),
  };
  return { request, origin: { format: FORMAT, model: body.model } satisfies Origin };
}

/** The part of a request that counts as input, for generations and for `count_tokens`. */
export function mapMessagesInput(body: TokenCountRequest): Pick<
  GenerationRequest,
  'input' | 'system' | 'tools' | 'toolChoice' | 'parallelToolCalls'
> & {
  input: GenerationRequest['input'];
} {
  const conversation = new Conversation();
  const system = withoutBillingLine(body.system);
  // Blocks stay blocks: each may be marked for the vendor's cache.
  if (Array.isArray(system)) conversation.addTurn('system', system.flatMap(toTextPart));
  for (const [index, message] of body.messages.entries()) {
    const { role, content } = message;
    requirePlaces(role, content, `messages.${index}.content`);
    const native = nativeRest(FORMAT, message, { role: true, content: true }).native;
    // Marks it as of this format, whose providers take it where it is.
    const own = role === 'system' ? (native ?? { format: FORMAT, fields: {} }) : native;
    conversation.addTurn(role, typeof content === 'string' ? content : content.flatMap(toPart), own);
  }
  const tools = mapTools(body.tools);
  return {
    input: [...conversation.messages],
    ...(typeof system === 'string' && system !== '' ? { system } : {}),
    ...(tools.length === 0 ? {} : { tools: [...tools], ...mapMessagesToolChoice(body.tool_choice) }),
  };
}

/**
 * Claude Code begins its system text with a line for its vendor's books, which changes with every request: behind it no
 * cache finds a prompt again, and no turn the key of the conversation. Models read nothing in it, and its vendor lets
 * users turn it off (CLAUDE_CODE_ATTRIBUTION_HEADER).
 */
const BILLING_LINE = /^x-anthropic-billing-header:[^\n]*\n*/;

function withoutBillingLine(system: TokenCountRequest['system']): TokenCountRequest['system'] {
  if (typeof system === 'string') return system.replace(BILLING_LINE, '');
  return system?.map((block) => ({ ...block, text: block.text.replace(BILLING_LINE, '') }));
}

/** Blocks that one role alone may have. In another, most formats would have no place for them. */
const PLACES: Readonly<Record<string, 'user' | 'assistant'>> = {
  tool_use: 'assistant',
  tool_result: 'user',
  image: 'user',
  document: 'user',
};

/** @throws invalid_request */
function requirePlaces(
  role: string,
  content: TokenCountRequest['messages'][number]['content'],
  path: string,
): void {
  if (typeof content === 'string') return;
  for (const [index, { type }] of content.entries()) {
    const place = Object.hasOwn(PLACES, type) ? PLACES[type] : undefined;
    if (place === undefined || place === role) continue;
    const param = `${path}.${index}`;
    const message = `${param}: ${type} blocks can only be in ${place} messages`;
    throw new UnbrokenError('invalid_request', message, { details: { param } });
  }
}

function mapTools(tools: TokenCountRequest['tools']): Tools {
  return (tools ?? []).map((tool) => {
    if (!('input_schema' in tool) || tool.input_schema === undefined) {
      return { type: 'native' as const, format: FORMAT, value: { ...tool } };
    }
    const {
      name,
      description,
      input_schema: parameters,
      strict,
    } = tool as z.infer<(typeof toolSchema.options)[0]>;
    const shape = { type: true, name: true, description: true, input_schema: true, strict: true } as const;
    return {
      name,
      parameters,
      ...(description === null || description === undefined ? {} : { description }),
      ...(strict === null || strict === undefined ? {} : { strict }),
      ...nativeRest(FORMAT, tool, shape),
    };
  });
}

function mapMessagesToolChoice(choice: TokenCountRequest['tool_choice']): {
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
} {
  if (choice === null || choice === undefined) return {};
  if (choice.type === 'none') return { toolChoice: 'none' };
  const { disable_parallel_tool_use: disabled } = choice;
  const parallel = disabled === null || disabled === undefined ? {} : { parallelToolCalls: !disabled };
  if (choice.type === 'tool') return { toolChoice: { name: choice.name }, ...parallel };
  return { toolChoice: choice.type === 'any' ? 'required' : choice.type, ...parallel };
}

/**
 * For providers of other formats. A thinking budget without an effort becomes the nearest effort, and thinking that is
 * turned off the effort `none`, which a model that does not think has anyway.
 */
function mapThinking({
  thinking,
  output_config: config,
}: MessagesRequest): { effort: ReasoningEffort; thinks?: boolean } | null {
  const effort = config?.effort ?? null;
  if (thinking === null || thinking === undefined) return effort === null ? null : { effort, thinks: false };
  if (thinking.type === 'disabled') return { effort: effort ?? 'none', thinks: false };
  if (thinking.type !== 'enabled') return { effort: effort ?? USUAL_EFFORT };
  return { effort: effort ?? effortOfBudget(thinking.budget_tokens ?? USUAL_BUDGET) };
}

/** @throws invalid_request */
export function betasIn(header: string | undefined): readonly string[] {
  const names = (header ?? '').split(',').map((name) => name.trim());
  const betas = names.filter((name) => name !== '');
  if (betas.length > LIMITS.betasPerRequest || betas.some((name) => !/^[\w.:-]{1,128}$/.test(name))) {
    const message = `anthropic-beta: expected up to ${LIMITS.betasPerRequest} names, separated by commas.`;
    throw new UnbrokenError('invalid_request', message, { details: { param: 'anthropic-beta' } });
  }
  return betas;
}
