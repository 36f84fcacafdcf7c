/** The input items of OpenAI's Responses as our messages. An item without a part of ours is kept as it is. */
import { z } from 'zod';
import {
  callArgumentsSchema,
  type Message,
  type NativePart,
  type ResultContent,
} from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { customToolArguments } from '../../../contracts/responses-tools.ts';
import { isSealed } from '../../../engine/reasoning/seals.ts';
import { Conversation } from '../conversation.ts';
import { isDocument } from '../media-url.ts';
import { nativeRest } from '../native.ts';
import { flatToolName } from './tool-names.ts';

const FORMAT = 'openai-responses';
const OTHER_CONTENT = /^(?!(?:(?:input_|output_)?text|input_image|image_url|input_file|refusal)$)/;
const OTHER_ITEM =
  /^(?!(?:message|(?:function|custom_tool)_call(?:_output)?|reasoning|item_reference|additional_tools)$)/;

/** So that the fault of a known type is reported, not that it is no other. */
const ABORT = { abort: true } as const;

// Clients of both formats write the parts of chat completions here, too.
const textContent = z.looseObject({ type: z.enum(['input_text', 'output_text', 'text']), text: z.string() });
const imageContent = z.looseObject({
  type: z.enum(['input_image', 'image_url']),
  image_url: z
    .union([z.string(), z.looseObject({ url: z.string(), detail: z.string().nullish() })])
    .nullish(),
  detail: z.string().nullish(),
});
const fileContent = z.looseObject({
  type: z.literal('input_file'),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  filename: z.string().nullish(),
});
const refusalContent = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });
const otherContent = z.looseObject({ type: z.string().regex(OTHER_CONTENT, ABORT) });
const contentPart = z.union([
  z.discriminatedUnion('type', [textContent, imageContent, fileContent, refusalContent]),
  otherContent,
]);
const content = z.union([z.string(), z.array(contentPart).max(LIMITS.partsPerMessage)]);

const messageItem = z.looseObject({
  type: z.literal('message').optional(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content,
});
const callItem = z.looseObject({
  type: z.literal('function_call'),
  call_id: z.string().min(1),
  name: z.string(),
  arguments: callArgumentsSchema,
});
const outputItem = z.looseObject({
  type: z.literal('function_call_output'),
  call_id: z.string().min(1),
  output: z.union([z.string(), z.array(contentPart).max(LIMITS.partsPerMessage)]),
});
const customCallItem = z.looseObject({
  type: z.literal('custom_tool_call'),
  call_id: z.string().min(1),
  name: z.string(),
  input: z.string(),
});
const customOutputItem = z.looseObject({
  ...outputItem.shape,
  type: z.literal('custom_tool_call_output'),
});
/** Read with the tools of the request. */
const additionalToolsItem = z.looseObject({ type: z.literal('additional_tools') });
const reasoningItem = z.looseObject({
  type: z.literal('reasoning'),
  summary: z
    .array(z.looseObject({ text: z.string() }))
    .max(LIMITS.partsPerMessage)
    .nullish(),
  /** Of open models: the thoughts themselves. */
  content: z
    .array(z.looseObject({ text: z.string().nullish() }))
    .max(LIMITS.partsPerMessage)
    .nullish(),
  encrypted_content: z.string().nullish(),
});
/** Resolved before the items are mapped. */
const referenceItem = z.looseObject({
  type: z.literal('item_reference').nullish(),
  id: z.string().max(LIMITS.idChars),
  role: z.undefined().optional(),
});
const otherItem = z.looseObject({ type: z.string().regex(OTHER_ITEM, ABORT) });

export const itemSchema = z.union([
  z.discriminatedUnion('type', [
    messageItem,
    callItem,
    outputItem,
    customCallItem,
    customOutputItem,
    additionalToolsItem,
    reasoningItem,
  ]),
  referenceItem,
  otherItem,
]);
export type Item = z.infer<typeof itemSchema>;

export function isReference(item: Item): item is z.infer<typeof referenceItem> {
  return item.type === 'item_reference' || (!item.type && !('role' in item));
}

/** It asks for a compaction of what stands before it. */
export function isTrigger(item: Item): boolean {
  return item.type === 'compaction_trigger';
}

/** @throws invalid_request for a trigger that is not the last item of a request over HTTP. */
export function refuseTriggers(items: readonly Item[]): void {
  const at = items.findIndex(isTrigger);
  if (at < 0) return;
  const param = `input.${at}`;
  const because = 'a compaction_trigger must be the last item of a POST /v1/responses';
  throw new UnbrokenError('invalid_request', `${param}: ${because}.`, { details: { param } });
}

/** @throws invalid_request for a file that only a vendor has: another provider could not read it. */
export function refuseFileIds(items: readonly object[], where: string): void {
  for (const [index, item] of items.entries()) {
    for (const list of ['content', 'output'] as const) {
      const parts: unknown = list in item ? item[list as never] : undefined;
      if (!Array.isArray(parts)) continue;
      const at = parts.findIndex((part) => typeof part?.['file_id'] === 'string');
      if (at < 0) continue;
      const param = `${where}.${index}.${list}.${at}.file_id`;
      const fix = 'Files are not stored here: send the file itself, as file_data, file_url or image_url.';
      throw new UnbrokenError('invalid_request', `${param}: ${fix}`, { details: { param } });
    }
  }
}

export function mapInputItems(items: readonly Item[]): readonly Message[] {
  const conversation = new Conversation();
  for (const item of items) addItem(conversation, item);
  return conversation.messages;
}

function addItem(conversation: Conversation, item: Item): void {
  if ('role' in item && (item.type === undefined || item.type === 'message')) {
    const { role, content: own } = item as z.infer<typeof messageItem>;
    const shape = { type: true, role: true, content: true, id: true, status: true } as const;
    const parts = typeof own === 'string' ? own : own.flatMap(toPart);
    conversation.addTurn(role, parts, nativeRest(FORMAT, item, shape).native);
    return;
  }
  switch (item.type) {
    case 'function_call':
    case 'custom_tool_call':
      conversation.addToolCall(toToolCall(item as z.infer<typeof callItem> | z.infer<typeof customCallItem>));
      return;
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const { call_id: id, output } = item as z.infer<typeof outputItem>;
      const own = typeof output === 'string' ? output : output.flatMap(toPart);
      conversation.addToolResult({
        id,
        content: own,
        ...nativeRest(FORMAT, item, shapeOf(item.type, 'output')),
      });
      return;
    }
    case 'additional_tools':
      return;
    case 'reasoning': {
      const { summary, content: thoughts, encrypted_content: own } = item as z.infer<typeof reasoningItem>;
      const shown = summary?.length ? summary : (thoughts ?? []);
      const text = shown.flatMap((part) => part.text || []).join('\n\n');
      if (isSealed(own)) conversation.addToAssistant({ type: 'reasoning', text, sealed: own });
      else if (own) conversation.addToAssistant({ ...toNative(item), isReasoning: true });
      else if (text !== '') conversation.addToAssistant({ type: 'reasoning', text });
      return;
    }
    case 'image_generation_call': {
      const bytes = ownPictureIn({ ...item });
      conversation.addToAssistant(
        bytes === null ? toNative(item) : { type: 'image', url: `data:image/png;base64,${bytes}` },
      );
      return;
    }
    default:
      if (isReference(item)) return;
      if (isOfUser(item.type)) conversation.addTurn('user', [toNative(item)]);
      else conversation.addToAssistant(toNative(item));
  }
}

/** A custom tool is a function here, and its item is one again for the providers of this format. */
function toToolCall(item: z.infer<typeof callItem> | z.infer<typeof customCallItem>) {
  const { call_id: id, name, namespace } = item;
  const written =
    item.type === 'function_call'
      ? // Of an item that was stored, too: its cap may have cut it.
        callArgumentsSchema.parse(item.arguments)
      : customToolArguments(item.input as string);
  const shape = { ...shapeOf(item.type, 'arguments'), input: true, name: true, namespace: true } as const;
  const { native } = nativeRest(FORMAT, item, shape);
  const call = { id, arguments: written };
  if (typeof namespace !== 'string' || namespace === '')
    return { ...call, name, ...(native === undefined ? {} : { native }) };
  const fields = { ...native?.fields, namespace: { name: namespace, tool: name } };
  return { ...call, name: flatToolName(name, namespace), native: { format: FORMAT, fields } as const };
}

/** The fields of a call or its result that our parts have; the type, too, unless it is that of a custom tool. */
function shapeOf(type: string, text: 'arguments' | 'output') {
  const isFunction = type.startsWith('function');
  const shape = { call_id: true, [text]: true, id: true, status: true } as const;
  return isFunction ? { ...shape, type: true as const } : shape;
}

/** The bytes of a picture that an answer of ours has had; null: a tool of OpenAI has made it. */
function ownPictureIn({ id, result }: Readonly<Record<string, unknown>>): string | null {
  const isOurs = typeof id === 'string' && id.startsWith(NATIVE_ITEM_PREFIX);
  return isOurs && typeof result === 'string' ? result : null;
}

/** What the client adds to a conversation, rather than the model. */
function isOfUser(type: unknown): boolean {
  return typeof type === 'string' && /(_output|_response|configuration_update)$/.test(type);
}

function toPart(part: z.infer<typeof contentPart>): ResultContent[] {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
    case 'text': {
      const { text } = part as z.infer<typeof textContent>;
      const native = nativeRest(FORMAT, withoutEmptyLists(part), { type: true, text: true });
      return text === '' ? [] : [{ type: 'text', text, ...native }];
    }
    case 'refusal': {
      const { refusal: text } = part as z.infer<typeof refusalContent>;
      return text === '' ? [] : [{ type: 'text', text, isRefusal: true }];
    }
    case 'input_image':
    case 'image_url':
      return [toImage(part as z.infer<typeof imageContent>)];
    case 'input_file':
      return [toFile(part as z.infer<typeof fileContent>)];
    default:
      return [toNative(part)];
  }
}

function toImage(part: z.infer<typeof imageContent>): ResultContent {
  const { image_url: image, detail: own } = part;
  const { url, detail } = typeof image === 'object' && image !== null ? image : { url: image, detail: own };
  if (typeof url !== 'string') return toNative(part);
  const native = nativeRest(FORMAT, part, { type: true, image_url: true, detail: true });
  if (isDocument(url)) return { type: 'file', url, ...native };
  return { type: 'image', url, ...(typeof detail === 'string' ? { detail } : {}), ...native };
}

function toFile(part: z.infer<typeof fileContent>): ResultContent {
  const { file_data: data, file_url: fileUrl, filename: name } = part;
  const url = data?.startsWith('data:') === true ? data : fileUrl;
  if (url === null || url === undefined) return toNative(part);
  const source = url === data ? { file_data: true as const } : { file_url: true as const };
  const shape = { type: true, filename: true, ...source } as const;
  const named = name === null || name === undefined || name === '' ? {} : { name };
  return { type: 'file', url, ...named, ...nativeRest(FORMAT, part, shape) };
}

/** Clients echo `annotations: []` and the like from the answers that they received. */
function withoutEmptyLists(part: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(part).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );
}

/** Of the ids of items that are no messages, calls or thoughts. */
export const NATIVE_ITEM_PREFIX = 'item_';

function toNative(value: object): NativePart {
  return { type: 'native', format: FORMAT, value: { ...value } };
}
