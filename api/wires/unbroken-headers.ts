/** Facts that other formats have no field for: as `x-unbroken-*` headers, and as a comment at the end of a stream. */
import type { Response } from 'express';
import { type CacheUse, headersOf } from '../generations/cache-headers.ts';
import type { AnswerFacts } from './answer.ts';
import type { DroppedFields } from './dropped-fields.ts';

const PREFIX = 'x-unbroken-';
/** Clients limit all headers together; the names are those that the request has. */
const MOST_DROPPED_CHARS = 1_024;

export function setUnbrokenHeaders(response: Response, answer: AnswerFacts, dropped?: DroppedFields): void {
  for (const [name, value] of Object.entries(factsOf(answer, dropped)))
    response.setHeader(`${PREFIX}${name}`, value);
}

/** An SSE comment, which every parser ignores, with the facts that were unknown when the headers were sent. */
export function unbrokenComment(answer: AnswerFacts, dropped?: DroppedFields): string {
  const facts = Object.entries(factsOf(answer, dropped)).map(([name, value]) => `${name}=${value}`);
  return `: unbroken ${facts.join(' ')}\n\n`;
}

/** Percent-encodes characters outside ASCII: model names come from the config or from an upstream. */
export function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]/gu, encodeURIComponent);
}

function factsOf(
  { generationId, model, cache, attempts, end, dropped: droppedByCall = [] }: AnswerFacts,
  dropped?: DroppedFields,
): Record<string, string> {
  const lost = [...new Set([...(dropped?.(model) ?? []), ...droppedByCall])];
  return {
    'generation-id': generationId,
    ...(model === null ? {} : { model: headerText(model) }),
    ...(lost.length === 0 ? {} : { dropped: headerText(lost.join(',')).slice(0, MOST_DROPPED_CHARS) }),
    ...cacheFactsOf(cache),
    ...(end?.type === 'generation-end' && end.degraded === true ? { degraded: 'true' } : {}),
    ...(end === null ? {} : { attempts: String(attempts), 'cost-micro-usd': String(end.costMicroUsd) }),
  };
}

function cacheFactsOf(use: CacheUse | null): Record<string, string> {
  const headers = Object.entries(headersOf(use));
  return Object.fromEntries(headers.map(([name, value]) => [name.slice(PREFIX.length), value]));
}
