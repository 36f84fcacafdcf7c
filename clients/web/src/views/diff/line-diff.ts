/** The differences between two texts, line by line, and word by word within a changed line. */
import { diffLines, diffWordsWithSpace } from 'diff';

/** A part of a line; `isChanged` where the other side differs. */
export interface Span {
  readonly text: string;
  readonly isChanged: boolean;
}

export interface DiffLine {
  /** null: the other version alone has this line. */
  readonly left: readonly Span[] | null;
  readonly right: readonly Span[] | null;
  readonly isChanged: boolean;
}

/** A comparison of two texts that have nothing in common would take minutes. */
const TIME_LIMIT_MS = 500;

export function diffTexts(left: string, right: string): DiffLine[] {
  const changes = diffLines(ended(left), ended(right), { timeout: TIME_LIMIT_MS }) ?? [
    { value: left, removed: true, added: false },
    { value: right, removed: false, added: true },
  ];
  const lines: DiffLine[] = [];
  let removed: string[] = [];
  const flush = (added: readonly string[]) => {
    lines.push(...pairsOf(removed, added));
    removed = [];
  };
  for (const { value, added, removed: isRemoved } of changes) {
    const texts = value.replace(/\n$/, '').split('\n');
    if (isRemoved) {
      flush([]);
      removed = texts;
    } else if (added) {
      flush(texts);
    } else {
      flush([]);
      lines.push(...texts.map((text) => unchanged(text)));
    }
  }
  flush([]);
  return lines;
}

function pairsOf(removed: readonly string[], added: readonly string[]): DiffLine[] {
  return Array.from({ length: Math.max(removed.length, added.length) }, (_, index) => {
    const [before, after] = [removed[index], added[index]];
    if (before === undefined || after === undefined) {
      return { left: whole(before), right: whole(after), isChanged: true };
    }
    const words = diffWordsWithSpace(before, after, { timeout: TIME_LIMIT_MS });
    if (words === undefined) return { left: whole(before), right: whole(after), isChanged: true };
    return {
      left: words
        .filter((word) => !word.added)
        .map(({ value, removed: isChanged }) => ({ text: value, isChanged })),
      right: words
        .filter((word) => !word.removed)
        .map(({ value, added: isChanged }) => ({ text: value, isChanged })),
      isChanged: true,
    };
  });
}

function whole(text: string | undefined): Span[] | null {
  return text === undefined ? null : [{ text, isChanged: true }];
}

function unchanged(text: string): DiffLine {
  const spans = [{ text, isChanged: false }];
  return { left: spans, right: spans, isChanged: false };
}

/** Without it, a last line that gets a successor would count as changed. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
