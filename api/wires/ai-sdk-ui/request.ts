/**
 * What `useChat` posts -> our request. Beside its own fields the body may hold settings of ours, as `body` of the
 * transport adds them. Source: ai's HttpChatTransport and UIMessage.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Part, toolChoiceSchema, toolSchema } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { type GenerationRequest, modelNameSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { type Conversation, createConversation, given, systemOf } from '../conversation.ts';
import { resolveModel } from '../model-name.ts';
import { metadataSchema, type Origin, type WireRequest } from '../wire.ts';

const partSchema = z.object({
  type: z.string(),
  text: z.string().optional(),
  mediaType: z.string().optional(),
  url: z.string().optional(),
  toolCallId: z.string().optional(),
  toolName: z.string().optional(),
  state: z.string().optional(),
  input: z.unknown().optional(),
  output: z.unknown().optional(),
  errorText: z.string().optional(),
});
type UiPart = z.infer<typeof partSchema>;

const chatIdSchema = z.string().min(1).max(256);

export const uiChatSchema = z.object({
  id: chatIdSchema,
  messages: z
    .array(
      z.object({
        id: z.string(),
        role: z.enum(['system', 'user', 'assistant']),
        parts: z.array(partSchema).max(LIMITS.itemsPerRequest),
      }),
    )
    .min(1)
    .max(LIMITS.itemsPerRequest),
  trigger: z.enum(['submit-message', 'regenerate-message']).default('submit-message'),
  model: modelNameSchema.default('unbroken'),
  system: z.string().optional(),
  maxOutputTokens: z.int().positive().optional(),
  temperature: z.number().optional(),
  tools: z.array(toolSchema).max(LIMITS.toolsPerRequest).optional(),
  toolChoice: toolChoiceSchema.optional(),
  metadata: metadataSchema.optional(),
});
export type UiChat = z.infer<typeof uiChatSchema>;

export interface UiOrigin extends Origin {
  readonly format: 'ai-sdk-ui';
  /** The id of the message that the answer goes on with; null for a new one. */
  readonly messageId: string | null;
}

export function toGeneration(config: Config, body: UiChat): WireRequest<UiOrigin> {
  const conversation = createConversation();
  for (const { role, parts } of body.messages) {
    if (role === 'user') conversation.add('user', parts.flatMap(contentOf));
    else if (role === 'assistant') addAssistant(conversation, parts);
  }
  const system = body.messages.flatMap(({ role, parts }) =>
    role === 'system' ? [parts.map(({ text }) => text ?? '').join('')] : [],
  );
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    input: [...conversation.messages],
    ...systemOf([body.system ?? '', ...system]),
    ...given('maxOutputTokens', body.maxOutputTokens),
    ...given('temperature', body.temperature),
    ...given('tools', body.tools?.length === 0 ? null : body.tools),
    ...given('toolChoice', body.toolChoice),
    ...given('metadata', body.metadata),
  };
  const last = body.messages.at(-1);
  const messageId = last?.role === 'assistant' ? last.id : null;
  return { request, origin: { format: 'ai-sdk-ui', model: body.model, messageId } };
}

/** A submit that is sent again joins what it began; to regenerate is to begin anew. */
export function idempotencyKeyOf(body: UiChat): string | undefined {
  if (body.trigger === 'regenerate-message') return undefined;
  return `ui:${createHash('sha256').update(JSON.stringify(body)).digest('hex')}`;
}

/** Each step of the assistant: what it said, what it called, and what came back. */
function addAssistant(conversation: Conversation, parts: readonly UiPart[]): void {
  let step: UiPart[] = [];
  const addStep = () => {
    conversation.add('assistant', step.flatMap(contentOf));
    const calls = step.filter(isToolPart);
    for (const call of calls) {
      const { id, name } = callOf(call);
      conversation.addCall({ id, name, arguments: JSON.stringify(call.input ?? {}) });
    }
    for (const call of calls) {
      const isError = call.state === 'output-error';
      const content = isError ? (call.errorText ?? '') : textOf(call.output);
      conversation.addResult({ id: callOf(call).id, content, isError });
    }
    step = [];
  };
  for (const part of parts) {
    if (part.type === 'step-start') addStep();
    else step.push(part);
  }
  addStep();
}

/** A call without its result is left out: no model takes one. */
function isToolPart({ type, state }: UiPart): boolean {
  const isTool = type === 'dynamic-tool' || type.startsWith('tool-');
  return isTool && (state === 'output-available' || state === 'output-error');
}

function callOf({ type, toolCallId, toolName }: UiPart): { readonly id: string; readonly name: string } {
  const name = type === 'dynamic-tool' ? toolName : type.slice('tool-'.length);
  if (toolCallId === undefined || name === undefined) {
    throw new UnbrokenError('invalid_request', 'messages: a tool part needs its toolCallId and its name.');
  }
  return { id: toolCallId, name };
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output ?? null);
}

function contentOf({ type, text, mediaType, url }: UiPart): Part[] {
  if (type === 'text') return text === undefined || text === '' ? [] : [{ type: 'text', text }];
  if (type !== 'file') return [];
  if (url === undefined || mediaType?.startsWith('image/') !== true) {
    throw new UnbrokenError(
      'invalid_request',
      `messages: a file of ${mediaType} cannot be sent; images can.`,
    );
  }
  return [{ type: 'image', url }];
}
