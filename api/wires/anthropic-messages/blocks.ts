/** The content blocks of Anthropic's messages as our parts. A block without a part of ours is kept as it is. */
import { z } from 'zod';
import type { NativePart, Part, ResultContent } from '../../../contracts/content.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { isSealed } from '../../../engine/reasoning/seals.ts';
import { nativeRest } from '../native.ts';

const FORMAT = 'anthropic-messages';
const OTHER = /^(?!(?:text|image|document|tool_use|tool_result|thinking|redacted_thinking)$)/;

export const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() });
const imageBlock = z.looseObject({
  type: z.literal('image'),
  source: z.union([
    z.looseObject({ type: z.literal('base64'), media_type: z.string(), data: z.string() }),
    z.looseObject({ type: z.literal('url'), url: z.string() }),
    z.looseObject({ type: z.literal('file'), file_id: z.string() }),
  ]),
});
const documentBlock = z.looseObject({
  type: z.literal('document'),
  title: z.string().nullish(),
  source: z.union([
    z.looseObject({ type: z.enum(['base64', 'text']), media_type: z.string(), data: z.string() }),
    z.looseObject({ type: z.literal('url'), url: z.string() }),
    z.looseObject({ type: z.enum(['file', 'content']) }),
  ]),
});
const toolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().min(1),
  name: z.string(),
  input: z.looseObject({}).nullish(),
});
const otherBlock = z.looseObject({ type: z.string().regex(OTHER, { abort: true }) });
const resultBlock = z.union([
  z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock]),
  otherBlock,
]);
const toolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().min(1),
  is_error: z.boolean().nullish(),
  content: z.union([z.string(), z.array(resultBlock).max(LIMITS.partsPerMessage)]).nullish(),
});
const thinkingBlock = z.looseObject({
  type: z.literal('thinking'),
  thinking: z.string().nullish(),
  signature: z.string().nullish(),
});
const redactedBlock = z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() });
export const blockSchema = z.union([
  z.discriminatedUnion('type', [
    textBlock,
    imageBlock,
    documentBlock,
    toolUseBlock,
    toolResultBlock,
    thinkingBlock,
    redactedBlock,
  ]),
  otherBlock,
]);

type Block = z.infer<typeof blockSchema>;
type TextBlock = z.infer<typeof textBlock>;
type TextPart = Extract<Part, { type: 'text' }>;

export function toPart(block: Block): Part[] {
  switch (block.type) {
    case 'tool_use': {
      const { id, name, input } = block as z.infer<typeof toolUseBlock>;
      const native = nativeRest(FORMAT, block, { type: true, id: true, name: true, input: true });
      return [{ type: 'tool-call', id, name, arguments: JSON.stringify(input ?? {}), ...native }];
    }
    case 'tool_result':
      return [toResult(block as z.infer<typeof toolResultBlock>)];
    case 'thinking':
    case 'redacted_thinking':
      return toReasoning(block as z.infer<typeof thinkingBlock | typeof redactedBlock>);
    default:
      return toResultContent(block as z.infer<typeof resultBlock>);
  }
}

/** What we sealed, what the vendor signed for its own client, or else what we showed of thoughts. */
function toReasoning(block: z.infer<typeof thinkingBlock | typeof redactedBlock>): Part[] {
  const own = block.type === 'thinking' ? block.signature : block.data;
  const text = block.type === 'thinking' ? (block.thinking ?? '') : '';
  if (isSealed(own)) return [{ type: 'reasoning', text, sealed: own }];
  if (own) return [{ ...toNative(block), isReasoning: true }];
  return text === '' ? [] : [{ type: 'reasoning', text }];
}

export function toTextPart(block: TextBlock): TextPart[] {
  if (block.text === '') return [];
  const native = nativeRest(FORMAT, block, { type: true, text: true });
  return [{ type: 'text', text: block.text, ...native }];
}

function toResult(block: z.infer<typeof toolResultBlock>): Part {
  const { content } = block;
  return {
    type: 'tool-result',
    id: block.tool_use_id,
    content: typeof content === 'string' ? content : (content ?? []).flatMap(toResultContent),
    ...(block.is_error === true ? { isError: true } : {}),
    ...nativeRest(FORMAT, block, { type: true, tool_use_id: true, content: true, is_error: true }),
  };
}

function toResultContent(block: z.infer<typeof resultBlock>): ResultContent[] {
  if (block.type === 'text') return toTextPart(block as TextBlock);
  if (block.type === 'image') return [toImage(block as z.infer<typeof imageBlock>)];
  return [block.type === 'document' ? toFile(block as z.infer<typeof documentBlock>) : toNative(block)];
}

function toImage(block: z.infer<typeof imageBlock>): ResultContent {
  const { source } = block;
  if (source.type === 'file') return toNative(block);
  const url = source.type === 'url' ? source.url : `data:${source.media_type};base64,${source.data}`;
  const shape = { type: true, source: { type: true, url: true, media_type: true, data: true } } as const;
  return { type: 'image', url, ...nativeRest(FORMAT, block, shape) };
}

function toFile(block: z.infer<typeof documentBlock>): ResultContent {
  const { source, title } = block;
  const url = documentUrl(source);
  if (url === null) return toNative(block);
  const shape = {
    type: true,
    title: true,
    source: { type: true, url: true, media_type: true, data: true },
  } as const;
  const name = title === null || title === undefined || title === '' ? {} : { name: title };
  return { type: 'file', url, ...name, ...nativeRest(FORMAT, block, shape) };
}

/** @returns null for a source that only this vendor can read. */
function documentUrl(source: z.infer<typeof documentBlock>['source']): string | null {
  if (source.type === 'url') return String(source['url']);
  const { media_type: mediaType, data } = source as { media_type?: unknown; data?: unknown };
  if (typeof data !== 'string') return null;
  if (source.type === 'base64') return `data:${String(mediaType)};base64,${data}`;
  return source.type === 'text' ? `data:text/plain;base64,${Buffer.from(data).toString('base64')}` : null;
}

function toNative(block: { readonly type: string }): NativePart {
  return { type: 'native', format: FORMAT, value: { ...block } };
}
