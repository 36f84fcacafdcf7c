/** The marks of clients for the vendors' prompt caches, wherever they stand: docs/prompt-caching.md. */
import { type NativeFields, type Part, partsOf } from './content.ts';
import type { GenerationInput } from './generation.ts';
import { isJsonObject } from './json.ts';

/** The mark of Anthropic's format for the end of a prefix that is to be kept. Other formats carry it as well. */
interface CacheMark {
  readonly type: string;
  readonly ttl?: string;
}

type Marked = Pick<GenerationInput, 'messages' | 'tools' | 'native'>;

/** The mark among the fields of a part, message, tool or request; undefined if there is none. */
export function cacheMarkIn(fields: Readonly<Record<string, unknown>> | undefined): CacheMark | undefined {
  const mark = fields?.['cache_control'] ?? functionOf(fields)?.['cache_control'];
  return isJsonObject(mark) && typeof mark['type'] === 'string' ? (mark as unknown as CacheMark) : undefined;
}

/** All marks that the client has set, in any format, in the order in which Anthropic caches. */
export function cacheMarksOf({ messages, tools, native }: Marked): readonly CacheMark[] {
  const fields: (Readonly<Record<string, unknown>> | undefined)[] = [];
  for (const tool of tools ?? []) fields.push('format' in tool ? tool.value : tool.native?.fields);
  for (const message of messages) {
    fields.push(message.native?.fields, ...partsOf(message).flatMap(fieldsOfPart));
  }
  return [...fields, native?.fields].flatMap((own) => cacheMarkIn(own) ?? []);
}

/** Whether a provider may charge for keeping a part of this prompt for an hour. */
export function mayKeepForHour(input: Marked & Pick<GenerationInput, 'promptCaching'>): boolean {
  return input.promptCaching === '1h' || cacheMarksOf(input).some(({ ttl }) => ttl === '1h');
}

function fieldsOfPart(part: Part): (NativeFields['fields'] | undefined)[] {
  if (part.type === 'native') return [part.value];
  if (part.type === 'reasoning') return [];
  if (part.type !== 'tool-result' || typeof part.content === 'string') return [part.native?.fields];
  return [part.native?.fields, ...part.content.flatMap(fieldsOfPart)];
}

/** Chat completions keep what belongs to a tool in its `function`, where some clients put the mark. */
function functionOf(
  fields: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> | undefined {
  const inner = fields?.['function'];
  return isJsonObject(inner) ? inner : undefined;
}
