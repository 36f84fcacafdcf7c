/**
 * Finds the contexts of a conversation, which may be shortened: marked documents, tool results, text parts before the
 * question, and long texts of earlier turns. Everything else is instruction and stays as it is.
 */
import { type Message, type Part, partsOf } from '../../contracts/content.ts';

interface FoundContexts {
  /** What the user wants to know: the user's newest text that is not a context. */
  readonly question: string;
  readonly contexts: readonly string[];
  /** The conversation with other texts in place of the contexts; `relevance` orders the documents. */
  rebuild(texts: readonly string[], relevance: readonly number[]): readonly Message[];
}

/** Earlier texts that are not marked as documents are contexts only from this length on. */
const LONG_CHARS = 800;

/** A question about the order of documents would be wrong after they have moved. */
const SPEAKS_OF_ORDER =
  /\b(?:first|second|third|last|previous|above|below|following|order|\d+(?:st|nd|rd|th))\b[^.?!]{0,40}\b(?:documents?|texts?|articles?|one)\b|\bdocuments? \d/i;

/** Part of a text: text as it is (and where the tag of the next document starts in it), or the number of a context. */
type Piece = { readonly text: string; readonly opensAt?: number } | { readonly context: number };

interface FoundDocument {
  /** Start and end of the opening tag, start and end of the closing tag. */
  readonly open: number;
  readonly inside: number;
  readonly close: number;
  readonly end: number;
}

const CLOSING_TAG = '</document>';

/** Each search starts where the last tag ended: a pattern with gaps would search from every opening tag. */
function findDocuments(text: string): FoundDocument[] {
  const found: FoundDocument[] = [];
  const opening = /<document\b/gi;
  const closing = /<\/document>/gi;
  for (let from = 0; ; ) {
    opening.lastIndex = from;
    const open = opening.exec(text)?.index ?? -1;
    const bracket = open < 0 ? -1 : text.indexOf('>', open);
    if (bracket < 0) return found;
    closing.lastIndex = bracket + 1;
    const close = closing.exec(text)?.index ?? -1;
    if (close < 0) return found;
    from = close + CLOSING_TAG.length;
    found.push({ open, inside: bracket + 1, close, end: from });
  }
}

export function findContexts(messages: readonly Message[]): FoundContexts {
  const contexts: string[] = [];
  const asking = messages.findLastIndex((message) => message.role === 'user' && hasOwnText(message));
  const add = (text: string): Piece => ({ context: contexts.push(text) - 1 });
  const split = (text: string, { isContext }: { readonly isContext: boolean }): readonly Piece[] => {
    const documents = findDocuments(text);
    if (documents.length === 0) return [isContext && text.length >= LONG_CHARS ? add(text) : { text }];
    const parts: Piece[] = [];
    let from = 0;
    for (const { inside: start, close, end, open } of documents) {
      const inside = text.slice(start, close);
      parts.push({ text: text.slice(from, start), opensAt: open - from });
      parts.push(inside.trim() === '' ? { text: inside } : add(inside));
      parts.push({ text: text.slice(close, end) });
      from = end;
    }
    return [...parts, { text: text.slice(from) }];
  };
  const taken = messages.map((message, index) => {
    const parts = partsOf(message);
    const lastText = parts.findLastIndex((part) => part.type === 'text');
    // Instructions are kept whole, and so is what its client marked or signed.
    const isKept = message.role === 'system' || message.role === 'developer';
    return parts.map((part, place) => {
      if (isKept || part.type === 'native') return null;
      if (part.type === 'text') return split(part.text, { isContext: index !== asking || place < lastText });
      return part.type === 'tool-result' && typeof part.content === 'string'
        ? split(part.content, { isContext: true })
        : null;
    });
  });
  const question = (taken[asking] ?? [])
    .flatMap((parts) => parts ?? [])
    .map((part) => ('text' in part ? part.text : ' '))
    .join('')
    .replaceAll(/<\/?document\b[^<>]*>/gi, ' ')
    .trim();
  const mayMove = !SPEAKS_OF_ORDER.test(question);
  return {
    question,
    contexts,
    rebuild: (texts, relevance) =>
      messages.map((message, index) => {
        const parts = partsOf(message).map((part, place) => {
          const parts = taken[index]?.[place] ?? null;
          return parts === null ? part : withText(part, put(parts, texts, mayMove ? relevance : null));
        });
        const [only] = parts;
        const isPlain = typeof message.content === 'string' && only?.type === 'text';
        return { ...message, content: isPlain ? only.text : parts };
      }),
  };
}

function hasOwnText(message: Message): boolean {
  return partsOf(message).some((part) => part.type === 'text');
}

function withText(part: Part, text: string): Part {
  if (part.type === 'text') return { ...part, text };
  return part.type === 'tool-result' ? { ...part, content: text } : part;
}

function put(parts: readonly Piece[], texts: readonly string[], relevance: readonly number[] | null): string {
  const shown = parts.map((part) => ('text' in part ? part.text : (texts[part.context] ?? '')));
  if (relevance === null) return shown.join('');
  for (const run of documentRuns(parts)) {
    // Each document moves with its tags; the text between documents stays.
    const documents = run.map((at) => {
      const part = parts[at];
      const worth = part !== undefined && 'context' in part ? (relevance[part.context] ?? 0) : 0;
      return { worth, open: openTag(parts[at - 1]), inside: shown[at] ?? '' };
    });
    const sorted = documents.toSorted((a, b) => b.worth - a.worth);
    for (const [place, at] of run.entries()) {
      const document = sorted[place];
      if (document === undefined) continue;
      shown[at - 1] = textBeforeTag(parts[at - 1]) + document.open;
      shown[at] = document.inside;
    }
  }
  return shown.join('');
}

function openTag(before: Piece | undefined): string {
  return before !== undefined && 'text' in before
    ? before.text.slice(before.opensAt ?? before.text.length)
    : '';
}

function textBeforeTag(before: Piece | undefined): string {
  return before !== undefined && 'text' in before ? before.text.slice(0, before.opensAt) : '';
}

/** Runs of documents with only white space between them. */
function documentRuns(parts: readonly Piece[]): number[][] {
  const runs: number[][] = [];
  for (const [index, part] of parts.entries()) {
    if (!('context' in part) || index === 0) continue;
    const follows = textBeforeTag(parts[index - 1]).trim() === '';
    const run = runs.at(-1);
    if (run !== undefined && follows && run.at(-1) === index - 3) run.push(index);
    else runs.push([index]);
  }
  return runs;
}
