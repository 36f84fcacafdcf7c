/** Ids of tool calls that several turns share. Some servers number the calls of each answer from 0. */
import type { Message } from '../../../contracts/content.ts';
import { mapParts } from './rule.ts';

/** Later calls of an id get another one, and so do their results. The same conversation always gets the same ids. */
export function withUniqueCallIds(messages: readonly Message[]): readonly Message[] {
  const seen = new Set<string>();
  const current = new Map<string, string>();
  return mapParts(messages, (part) => {
    if (part.type === 'tool-result') {
      const id = current.get(part.id) ?? part.id;
      return id === part.id ? part : { ...part, id };
    }
    if (part.type !== 'tool-call') return part;
    const id = unusedId(part.id, seen);
    seen.add(id);
    current.set(part.id, id);
    return id === part.id ? part : { ...part, id };
  });
}

function unusedId(id: string, seen: ReadonlySet<string>): string {
  if (!seen.has(id)) return id;
  for (let count = 2; ; count += 1) {
    const own = `${id}_${count}`;
    if (!seen.has(own)) return own;
  }
}
