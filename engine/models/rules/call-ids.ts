/** Ids of tool calls that several turns share. Some servers number the calls of each answer from 0. */
import type { Message } from '../../../contracts/content.ts';
import { mapParts } from './rule.ts';

/** Later calls of an id get another one, and so do their results. The same conversation always gets the same ids. */
export function withUniqueCallIds(messages: readonly Message[]): readonly Message[] {
  /** By id, how often it has come. */
  const seen = new Map<string, number>();
  const current = new Map<string, string>();
  return mapParts(messages, (part) => {
    if (part.type === 'tool-result') {
      const id = current.get(part.id) ?? part.id;
      return id === part.id ? part : { ...part, id };
    }
    if (part.type !== 'tool-call') return part;
    const id = unusedId(part.id, seen);
    current.set(part.id, id);
    return id === part.id ? part : { ...part, id };
  });
}

function unusedId(id: string, seen: Map<string, number>): string {
  let count = (seen.get(id) ?? 0) + 1;
  let own = id;
  if (count > 1) for (own = `${id}_${count}`; seen.has(own); own = `${id}_${count}`) count += 1;
  seen.set(id, count);
  if (own !== id) seen.set(own, 1);
  return own;
}
