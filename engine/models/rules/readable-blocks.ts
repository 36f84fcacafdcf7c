/** Blocks that only Anthropic's format has, as the text that every model reads: `contracts/readable-blocks.ts`. */
import { type Message, type Part, partsOf } from '../../../contracts/content.ts';
import { readableTextOf } from '../../../contracts/readable-blocks.ts';
import { mapParts } from './rule.ts';

/** The same messages where they have none. */
export function withReadableBlocks(messages: readonly Message[]): readonly Message[] {
  if (!messages.some((message) => partsOf(message).some(hasNative))) return messages;
  return mapParts(messages, (part) => {
    if (part.type !== 'tool-result' || typeof part.content === 'string') return asText(part);
    return hasNative(part) ? { ...part, content: part.content.map(asText) } : part;
  });
}

function hasNative(part: Part): boolean {
  if (part.type !== 'tool-result') return part.type === 'native';
  return typeof part.content !== 'string' && part.content.some(({ type }) => type === 'native');
}

function asText<Own extends Part>(part: Own): Own | { readonly type: 'text'; readonly text: string } {
  const text = part.type === 'native' ? readableTextOf(part) : null;
  return text === null || text === '' ? part : { type: 'text', text };
}
