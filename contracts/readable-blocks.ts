/** Blocks of Anthropic's format that a model of any vendor can read as text. */
import type { NativePart } from './content.ts';
import { isJsonObject } from './json.ts';

const READ: ReadonlySet<string> = new Set(['type', 'tool_name', 'title', 'source', 'context', 'content']);

type Block = Readonly<Record<string, unknown>>;

/** @returns null for a block that is more than text. */
export function readableTextOf({ format, value }: Pick<NativePart, 'format' | 'value'>): string | null {
  if (format !== 'anthropic-messages') return null;
  switch (value['type']) {
    case 'tool_reference':
      return typeof value['tool_name'] === 'string' ? `Tool available: ${value['tool_name']}` : null;
    case 'search_result':
      return joined([value['title'], value['source'], textIn(value['content'])]);
    case 'document': {
      const source = isJsonObject(value['source']) ? value['source'] : {};
      const text = source['type'] === 'content' ? textIn(source['content']) : null;
      return text === null ? null : joined([value['title'], value['context'], text]);
    }
    default:
      return null;
  }
}

/** The fields of such a block that its text does not say. */
export function unreadFieldsOf({ value }: Pick<NativePart, 'value'>): readonly string[] {
  return Object.keys(value).filter((name) => !READ.has(name) && value[name] !== null);
}

function textIn(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.map((block: unknown) => (isText(block) ? block['text'] : null));
  return texts.every((text) => typeof text === 'string') ? texts.join('\n') : null;
}

function isText(block: unknown): block is Block {
  return isJsonObject(block) && block['type'] === 'text';
}

/** @returns null if there is no text among them, as the last. */
function joined(parts: readonly unknown[]): string | null {
  if (typeof parts.at(-1) !== 'string') return null;
  return parts.filter((part) => typeof part === 'string' && part !== '').join('\n\n');
}
