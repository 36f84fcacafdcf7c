/**
 * What of a conversation is context, and may be shortened: documents that are marked as such, tool results, text
 * parts before the question, and long texts of earlier turns. All else is instruction, and stays as it is.
 */
import { type Message, type Part, partsOf } from '../contracts/content.ts';

export interface FoundContexts {
  /** What the user wants to know: the newest text of theirs that is no context. */
  readonly question: string;
  readonly contexts: readonly string[];
  /** The same conversation with other texts in the places of the contexts; `relevance` puts documents in order. */
  rebuild(texts: readonly string[], relevance: readonly number[]): readonly Message[];
}

/** Earlier texts that are not marked as documents are context only from this length on. */
const LONG_CHARS = 800;

const DOCUMENT = /(<document\b[^>]*>)([\s\S]*?)(<\/document>)/gi;
/** A question that speaks of the places of documents would be wrong after they have moved. */
const SPEAKS_OF_ORDER =
  /\b(?:first|second|third|last|previous|above|below|following|order|\d+(?:st|nd|rd|th))\b[^.?!]{0,40}\b(?:documents?|texts?|articles?|one)\b|\bdocuments? \d/i;

/** A stretch of text: as it stands, or the number of a context. */
type Piece = { readonly text: string } | { readonly context: number };

export function findContexts(messages: readonly Message[]): FoundContexts {
  const contexts: string[] = [];
  const asking = messages.findLastIndex((message) => message.role === 'user' && hasOwnText(message));
  const add = (text: string): Piece => ({ context: contexts.push(text) - 1 });
  const split = (text: string, isLongContext: boolean): readonly Piece[] => {
    const documents = [...text.matchAll(DOCUMENT)];
    if (documents.length === 0) return [isLongContext && text.length >= LONG_CHARS ? add(text) : { text }];
    const pieces: Piece[] = [];
    let from = 0;
    for (const { index, 1: open = '', 2: inside = '', 3: close = '' } of documents) {
      pieces.push({ text: text.slice(from, index) + open });
      pieces.push(inside.trim() === '' ? { text: inside } : add(inside));
      pieces.push({ text: close });
      from = index + open.length + inside.length + close.length;
    }
    return [...pieces, { text: text.slice(from) }];
  };
  const taken = messages.map((message, index) => {
    const parts = partsOf(message);
    const lastText = parts.findLastIndex((part) => part.type === 'text');
    return parts.map((part, place) => {
      if (part.type === 'text') return split(part.text, index !== asking || place < lastText);
      return part.type === 'tool-result' ? split(part.content, true) : null;
    });
  });
  const question = (taken[asking] ?? [])
    .flatMap((pieces) => pieces ?? [])
    .map((piece) => ('text' in piece ? piece.text : ' '))
    .join('')
    .replaceAll(/<\/?document\b[^>]*>/gi, ' ')
    .trim();
  const mayMove = !SPEAKS_OF_ORDER.test(question);
  return {
    question,
    contexts,
    rebuild: (texts, relevance) =>
      messages.map((message, index) => {
        const parts = partsOf(message).map((part, place) => {
          const pieces = taken[index]?.[place] ?? null;
          return pieces === null ? part : withText(part, put(pieces, texts, mayMove ? relevance : null));
        });
        const [only] = parts;
        const isPlain = typeof message.content === 'string' && only?.type === 'text';
        return { role: message.role, content: isPlain ? only.text : parts };
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

function put(
  pieces: readonly Piece[],
  texts: readonly string[],
  relevance: readonly number[] | null,
): string {
  const shown = pieces.map((piece) => ('text' in piece ? piece.text : (texts[piece.context] ?? '')));
  if (relevance === null) return shown.join('');
  for (const run of documentRuns(pieces)) {
    // Each document moves whole, with its tags; what stands between them stays.
    const documents = run.map((at) => {
      const piece = pieces[at];
      const worth = piece !== undefined && 'context' in piece ? (relevance[piece.context] ?? 0) : 0;
      return { worth, open: openTag(shown[at - 1] ?? ''), inside: shown[at] ?? '' };
    });
    const sorted = documents.toSorted((a, b) => b.worth - a.worth);
    for (const [place, at] of run.entries()) {
      const document = sorted[place];
      if (document === undefined) continue;
      const before = shown[at - 1] ?? '';
      shown[at - 1] = before.slice(0, before.length - openTag(before).length) + document.open;
      shown[at] = document.inside;
    }
  }
  return shown.join('');
}

function openTag(before: string): string {
  return /<document\b[^>]*>$/i.exec(before)?.[0] ?? '';
}

/** Places of documents that follow each other with nothing but white space between them. */
function documentRuns(pieces: readonly Piece[]): number[][] {
  const runs: number[][] = [];
  for (const [index, piece] of pieces.entries()) {
    if (!('context' in piece) || index === 0) continue;
    const before = pieces[index - 1];
    const between = before !== undefined && 'text' in before ? before.text : '';
    const follows = between.slice(0, between.length - openTag(between).length).trim() === '';
    const run = runs.at(-1);
    if (run !== undefined && follows && run.at(-1) === index - 3) run.push(index);
    else runs.push([index]);
  }
  return runs;
}
