/**
 * The citation of a page, which both of OpenAI's formats have, each in its own shape. Source: the types of the official
 * client, ChatCompletionMessage.Annotation and ResponseOutputText.URLCitation.
 */
import type { NativeValue } from './answer-parts.ts';

interface UrlCitation {
  /** In the text that it belongs to: a message of Responses, all of a chat completion. */
  readonly start_index: number;
  readonly end_index: number;
  readonly title: string;
  readonly url: string;
}

/** @returns null for any other annotation. */
export function readUrlCitation({ format, value }: NativeValue): UrlCitation | null {
  if (value['type'] !== 'url_citation') return null;
  const fields = format === 'openai-chat' ? value['url_citation'] : value;
  if (typeof fields !== 'object' || fields === null) return null;
  const { start_index, end_index, title, url } = fields as Partial<UrlCitation>;
  if (typeof url !== 'string' || typeof start_index !== 'number' || typeof end_index !== 'number')
    return null;
  return { start_index, end_index, title: title ?? '', url };
}

export function toResponseAnnotation(annotation: NativeValue): Record<string, unknown> | null {
  if (annotation.format === 'openai-responses') return { ...annotation.value };
  const citation = readUrlCitation(annotation);
  return citation === null ? null : { type: 'url_citation', ...citation };
}

/** @param beginsAt where the cited part begins in the text of the completion. */
export function toChatAnnotation(annotation: NativeValue, beginsAt: number): Record<string, unknown> | null {
  if (annotation.format === 'openai-chat') return { ...annotation.value };
  const citation = readUrlCitation(annotation);
  if (citation === null) return null;
  const start_index = citation.start_index + beginsAt;
  const end_index = citation.end_index + beginsAt;
  return { type: 'url_citation', url_citation: { ...citation, start_index, end_index } };
}
