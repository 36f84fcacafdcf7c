/** Reads parts of the wires' messages as ours, and puts messages together from them. */
import type { Message, Part } from '../../../contracts/content.ts';

/** A message of one text is a plain string, by which a partial answer is recognised. */
export function messageOf(role: Message['role'], parts: readonly Part[]): Message[] {
  const [first] = parts;
  if (first === undefined) return [];
  if (parts.length === 1 && first.type === 'text') return [{ role, content: first.text }];
  return [{ role, content: [...parts] }];
}

export function textPart(text: string | null | undefined): Part[] {
  return text ? [{ type: 'text', text }] : [];
}

export function filePart(url: string): Part {
  return { type: 'file', url };
}

export function imagePart(url: string): Part {
  return { type: 'image', url };
}
