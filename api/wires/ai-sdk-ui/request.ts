/**
 * Maps the request that `useChat` posts to ours. The body may also hold our settings, which the transport adds through
 * its `body` option. Source: ai's HttpChatTransport and UIMessage.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Part, toolChoiceSchema, toolSchema } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { type GenerationRequest, metadataSchema, modelNameSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { Conversation, fieldIfPresent, joinSystemTexts } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import type { Origin, WireRequest } from '../wire.ts';

const partSchema = z.object({
  type: z.string(),
  text: z.string().optional(),
  mediaType: z.string().optional(),
  filename: z.string().optional(),
  url: z.string().optional(),
  toolCallId: z.string().optional(),
  toolName: z.string().optional(),
  state: z.string().optional(),
  input: z.unknown().optional(),
  output: z.unknown().optional(),
  errorText: z.string().optional(),
  approval: z.object({ approved: z.boolean().optional(), reason: z.string().optional() }).optional(),
  providerMetadata: z.unknown().optional(),
  callProviderMetadata: z.unknown().optional(),
});
type UiPart = z.infer<typeof partSchema>;

/** How often a submit that failed finds the generation of the one before; after that, each starts its own. */
const MOST_REPEATS = 32;

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
  user: z.string().nullish(),
});
export type UiChat = z.infer<typeof uiChatSchema>;

export interface UiOrigin extends Origin {
  readonly format: 'ai-sdk-ui';
  /** The id of the message that the answer continues; null for a new one. */
  readonly messageId: string | null;
}

export function mapUiChat(config: Config, body: UiChat): WireRequest<UiOrigin> {
  const conversation = new Conversation();
  for (const { role, parts } of body.messages) {
    if (role === 'user') conversation.addTurn('user', parts.flatMap(uiPartContent));
    else if (role === 'assistant') addAssistant(conversation, parts);
  }
  const system = body.messages.flatMap(({ role, parts }) =>
    role === 'system' ? [parts.map(({ text }) => text ?? '').join('')] : [],
  );
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    input: [...conversation.messages],
    ...joinSystemTexts([body.system ?? '', ...system]),
    ...endUserOf(body.user),
    ...fieldIfPresent('maxOutputTokens', body.maxOutputTokens),
    ...fieldIfPresent('temperature', body.temperature),
    ...fieldIfPresent('tools', body.tools?.length === 0 ? null : body.tools),
    ...fieldIfPresent('toolChoice', body.toolChoice),
    ...fieldIfPresent('metadata', body.metadata),
    // The page asks for another answer than the one that it has.
    ...(body.trigger === 'regenerate-message' ? { cache: 'refresh' as const } : {}),
  };
  const last = body.messages.at(-1);
  const messageId = last?.role === 'assistant' ? last.id : null;
  return { request, origin: { format: 'ai-sdk-ui', model: body.model, messageId } };
}

/**
 * The keys that a submit tries, in order. A repeated submit joins the generation that it started, unless that one
 * failed or was cancelled: then its sender wants another. `regenerate-message` always starts a new one.
 */
export function* idempotencyKeysOf(body: UiChat): Generator<string> {
  if (body.trigger === 'regenerate-message') return;
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  yield `ui:${hash}`;
  for (let again = 1; again < MOST_REPEATS; again += 1) yield `ui:${hash}:${again}`;
}

/** Adds each step of the assistant: its content, its tool calls, and their results. */
function addAssistant(conversation: Conversation, parts: readonly UiPart[]): void {
  let step: UiPart[] = [];
  const addStep = () => {
    conversation.addTurn('assistant', step.flatMap(assistantContent));
    const calls = step.filter(isToolPart);
    for (const call of calls) {
      const { id, name } = toolCallOf(call);
      const sealed = sealIn(call.callProviderMetadata);
      if (sealed !== undefined) conversation.addToAssistant({ type: 'reasoning', text: '', sealed });
      conversation.addToolCall({ id, name, arguments: objectJson(call.input) });
    }
    for (const call of calls) conversation.addToolResult({ id: toolCallOf(call).id, ...resultOf(call) });
    step = [];
  };
  for (const part of parts) {
    if (part.type === 'step-start') addStep();
    else step.push(part);
  }
  addStep();
}

/** Calls without a result are left out: models reject them. */
function isToolPart(part: UiPart): boolean {
  const isTool = part.type === 'dynamic-tool' || part.type.startsWith('tool-');
  return isTool && (isDenied(part) || part.state === 'output-available' || part.state === 'output-error');
}

/** Whether a person has refused the call: a model that does not learn it makes the call again. */
function isDenied({ state, approval }: UiPart): boolean {
  return state === 'output-denied' || (state === 'approval-responded' && approval?.approved === false);
}

function resultOf(call: UiPart): { readonly content: string; readonly isError: boolean } {
  if (isDenied(call))
    return { content: call.approval?.reason || 'Tool call execution denied.', isError: true };
  if (call.state === 'output-error') return { content: call.errorText ?? '', isError: true };
  return { content: toolOutputText(call.output), isError: false };
}

function toolCallOf({ type, toolCallId, toolName }: UiPart): { readonly id: string; readonly name: string } {
  const name = type === 'dynamic-tool' ? toolName : type.slice('tool-'.length);
  if (toolCallId === undefined || name === undefined) {
    throw new UnbrokenError('invalid_request', 'messages: a tool part needs its toolCallId and its name.');
  }
  return { id: toolCallId, name };
}

function toolOutputText(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output ?? null);
}

function assistantContent(part: UiPart): Part[] {
  if (part.type !== 'reasoning') return uiPartContent(part);
  const { text = '', providerMetadata } = part;
  const sealed = sealIn(providerMetadata);
  if (sealed !== undefined) return [{ type: 'reasoning', text, sealed }];
  return text === '' ? [] : [{ type: 'reasoning', text }];
}

const metadataOfSeal = z.object({ unbroken: z.object({ sealed: z.string().min(1) }) });

function sealIn(metadata: unknown): string | undefined {
  return metadataOfSeal.safeParse(metadata).data?.unbroken.sealed;
}

function uiPartContent({ type, text, mediaType, filename, url }: UiPart): Part[] {
  if (type === 'text') return text === undefined || text === '' ? [] : [{ type: 'text', text }];
  if (type !== 'file') return [];
  if (url === undefined) throw new UnbrokenError('invalid_request', 'messages: a file part needs its url.');
  if (mediaType?.toLowerCase().startsWith('image/') === true) return [{ type: 'image', url }];
  return [{ type: 'file', url, ...(filename ? { name: filename } : {}) }];
}

/** The input of a call that was cut is the text that there was of it: no vendor takes that back. */
function objectJson(input: unknown): string {
  return JSON.stringify(typeof input === 'object' && input !== null ? input : {});
}
