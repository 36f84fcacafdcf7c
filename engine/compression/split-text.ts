/**
 * Splits a text into units that are kept or dropped as wholes: sentences, list items, rows of tables, blocks of code. A
 * unit is a part of the original text, so kept text is word for word.
 */
type UnitKind = 'sentence' | 'heading' | 'row' | 'code';

export interface TextUnit {
  readonly kind: UnitKind;
  readonly start: number;
  /** Without trailing white space. */
  readonly end: number;
  readonly text: string;
  readonly paragraph: number;
  /** The index of its heading or of the head of its table, without which it makes no sense; null for none. */
  readonly under: number | null;
}

const FENCE = /^\s*(```|~~~)/;
const TABLE_ROW = /^\s*\|/;
const TABLE_RULE = /^\s*\|[\s:|-]+\|\s*$/;
const MARKED_HEADING = /^\s{0,3}(#{1,6})\s/;
/** A short line that ends without punctuation or with a colon: a title, a speaker, a mail header. */
const HEADING_CHARS = 80;
const UNMARKED = 7;
const ENDS_LIKE_A_SENTENCE = /[.!?…"')\]]\s*$/;
/** The most characters of an abbreviation with the text before it. */
const ABBREVIATION_CHARS = 12;
/** Text whose full stop ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:[A-Z]|[Mm]rs?|[Mm]s|[Dd]r|[Pp]rof|[Ss]t|[Nn]o|[Cc]f|vs|etc|e\.g|i\.e|[Ff]ig|[Vv]ol|approx)\.$/;

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

interface Line {
  readonly start: number;
  readonly text: string;
}

export function splitText(text: string): readonly TextUnit[] {
  const units: TextUnit[] = [];
  let paragraph = 0;
  let heading: number | null = null;
  // The headings above the current text, the highest first; one without a mark is below all marked ones.
  const headings: { readonly level: number; readonly unit: number }[] = [];
  let tableHead: number | null = null;
  const add = (kind: UnitKind, start: number, end: number, under: number | null) => {
    const unitText = text.slice(start, end).trimEnd();
    if (unitText.trim() === '') return;
    units.push({ kind, start, end: start + unitText.length, text: unitText, paragraph, under });
  };
  const lines = linesOf(text);
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index];
    if (line === undefined) break;
    if (line.text.trim() === '') {
      paragraph += 1;
      tableHead = null;
      continue;
    }
    if (FENCE.test(line.text)) {
      const last = endOfFence(lines, index);
      add('code', line.start, endOf(lines[last] ?? line), heading);
      index = last;
      continue;
    }
    if (TABLE_ROW.test(line.text)) {
      const hasRule = TABLE_RULE.test(lines[index + 1]?.text ?? '');
      // The head of a table is under no other head: consecutive tables would form a chain as long as the text.
      const under = hasRule ? heading : (tableHead ?? heading);
      add('row', line.start, endOf((hasRule ? lines[index + 1] : undefined) ?? line), under);
      if (hasRule) {
        tableHead = units.length - 1;
        index += 1;
      }
      continue;
    }
    tableHead = null;
    if (isHeading(line.text, lines[index - 1]?.text, lines[index + 1]?.text)) {
      const level = MARKED_HEADING.exec(line.text)?.[1]?.length ?? UNMARKED;
      while ((headings.at(-1)?.level ?? 0) >= level) headings.pop();
      add('heading', line.start, endOf(line), headings.at(-1)?.unit ?? null);
      heading = units.length - 1;
      headings.push({ level, unit: heading });
      continue;
    }
    for (const [start, end] of sentencesOf(line)) add('sentence', start, end, heading);
  }
  return units;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const line of text.split('\n')) {
    lines.push({ start, text: line });
    start += line.length + 1;
  }
  return lines;
}

function endOf({ start, text }: Line): number {
  return start + text.length;
}

/** The line that closes a block of code, or the last line. */
function endOfFence(lines: readonly Line[], open: number): number {
  const mark = FENCE.exec(lines[open]?.text ?? '')?.[1] ?? '';
  for (let index = open + 1; index < lines.length; index += 1) {
    if (lines[index]?.text.trimStart().startsWith(mark) === true) return index;
  }
  return lines.length - 1;
}

function isHeading(line: string, before: string | undefined, after: string | undefined): boolean {
  if (MARKED_HEADING.test(line)) return true;
  if (line.length > HEADING_CHARS || ENDS_LIKE_A_SENTENCE.test(line)) return false;
  // In wrapped running text a short line is no heading; a leading number may be that of a list item.
  if ((before ?? '').trim() !== '' || after === undefined || /^\s*[-*•]\s/.test(line)) return false;
  return !/^\s*\d+[.)]\s/.test(line) || after.trim() === '';
}

function sentencesOf({ start, text }: Line): [number, number][] {
  const found: [number, number][] = [];
  let from: number | null = null;
  let hasWord = false;
  for (const { segment, index } of sentences.segment(text)) {
    from ??= index;
    // A sentence may consist of very many segments: each is read once.
    const end = index + segment.trimEnd().length;
    const tail = text.slice(Math.max(from, end - ABBREVIATION_CHARS), end);
    hasWord ||= /[\p{L}]{2}|\p{N}{2}/u.test(text.slice(Math.max(from, index - 1), end));
    if (ABBREVIATION.test(tail) || !hasWord) continue;
    found.push([start + from, start + index + segment.length]);
    from = null;
    hasWord = false;
  }
  if (from !== null) found.push([start + from, start + text.length]);
  return found;
}
