/**
 * Renders Markdown for a terminal as it streams in: what is decided is written at once; only an open span, the marker
 * at the start of a line, a line of code and a table wait for their end. Control characters are removed, because the
 * text of a model must not move the cursor or change the terminal. Not covered: nested block quotes, HTML, and links
 * by reference.
 */

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  strike: [9, 29],
  code: [36, 39],
} as const;
type Style = keyof typeof STYLES;

/** A line that begins so may yet become a heading, an item, a fence, a rule or a table. */
const UNDECIDED = /^\s*(?:[#>`~|*+\-_]+\s*|\d{1,9}[.)]?\s*)?$/;
const FENCE = /^\s*(?:```|~~~)/;
const RULE = /^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/;
const TABLE_RULE = /^\s*\|?[\s:|-]+\|[\s:|-]*$/;
const BLOCK = /^([ \t]*)(?:(#{1,6})[ \t]+|(>)[ \t]?|([-*+])[ \t]+|(\d{1,9}[.)])[ \t]+)/;
const RULE_WIDTH = 40;

/** What opens a span, what it looks like, in the order in which they are tried. */
const SPANS: readonly (readonly [pattern: RegExp, style: Style])[] = [
  [/^`([^`]+)`/, 'code'],
  [/^\*\*(?=\S)((?:[^*]|\*(?!\*))+?)\*\*/, 'bold'],
  [/^__(?=\S)([^_]+)__/, 'bold'],
  [/^\*(?=\S)([^*]+)\*/, 'italic'],
  [/^_(?=\S)([^_]+)_(?![\p{L}\p{N}])/u, 'italic'],
  [/^~~(?=\S)([^~]+)~~/, 'strike'],
];
const LINK = /^\[([^\]]*)\]\(([^)\s]*)\)/;
const OPENERS = /[`*_~[\\]/;

/** Everything but tab and line feed that is not text: ESC, the C1 controls, and marks that reverse the direction. */
export function withoutControls(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it removes
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}

export class MarkdownRenderer {
  /** Of the current line: what is not written yet. */
  #pending = '';
  #isLineStart = true;
  #isCode = false;
  #last = ' ';
  /** Applies to the rest of the line. */
  #lineStyle: Style | undefined;
  #table: string[] = [];

  /** @returns what can be written now. */
  write(delta: string): string {
    this.#pending += withoutControls(delta);
    let output = '';
    for (;;) {
      const newline = this.#pending.indexOf('\n');
      if (newline === -1) return output + this.#decided();
      const line = this.#pending.slice(0, newline);
      this.#pending = this.#pending.slice(newline + 1);
      output += this.#endLine(line);
    }
  }

  /** @returns the rest; afterwards the renderer is as new. */
  end(): string {
    const rest = this.#pending === '' ? '' : this.#endLine(this.#pending).replace(/\n$/, '');
    const output = rest + this.#endTable();
    this.#pending = '';
    this.#isLineStart = true;
    this.#isCode = false;
    return output;
  }

  /** Of a line without an end: all before the first span that is open. */
  #decided(): string {
    if (this.#isLineStart && (UNDECIDED.test(this.#pending) || this.#isTableLine(this.#pending))) return '';
    if (this.#isLineStart && (this.#isCode || FENCE.test(this.#pending))) return '';
    const opening = this.#isLineStart ? this.#beginLine() : '';
    const { output, open, last } = renderSpans(this.#pending, { isWholeLine: false, last: this.#last });
    this.#pending = open;
    this.#last = last;
    return opening + this.#styled(output);
  }

  #endLine(line: string): string {
    if (!this.#isLineStart) {
      const rest = this.#styled(renderSpans(line, { isWholeLine: true, last: this.#last }).output);
      this.#isLineStart = true;
      this.#lineStyle = undefined;
      this.#last = ' ';
      return `${rest}\n`;
    }
    if (FENCE.test(line)) {
      this.#isCode = !this.#isCode;
      return `${this.#endTable()}${style('dim', line)}\n`;
    }
    if (this.#isCode) return `${style('code', line)}\n`;
    if (this.#isTableLine(line)) {
      this.#table.push(line);
      return '';
    }
    const before = this.#endTable();
    if (RULE.test(line)) return `${before}${style('dim', '─'.repeat(RULE_WIDTH))}\n`;
    this.#pending = `${line}\n${this.#pending}`;
    const opening = this.#beginLine();
    const newline = this.#pending.indexOf('\n');
    const text = this.#pending.slice(0, newline);
    this.#pending = this.#pending.slice(newline + 1);
    return before + opening + this.#endLine(text);
  }

  /** Takes the marker off the line and says how it is shown. */
  #beginLine(): string {
    this.#isLineStart = false;
    const [marker, indent = '', heading, quote, bullet, number] = BLOCK.exec(this.#pending) ?? [];
    const table = this.#endTable();
    if (marker === undefined) return table;
    this.#pending = this.#pending.slice(marker.length);
    if (heading !== undefined) this.#lineStyle = heading.length === 1 ? 'underline' : 'bold';
    if (quote !== undefined) this.#lineStyle = 'dim';
    const shown = quote === undefined ? bullet && '•' : '│';
    const symbol = shown ?? number;
    return `${table}${indent}${symbol === undefined ? '' : `${symbol} `}`;
  }

  #isTableLine(line: string): boolean {
    return !this.#isCode && /^\s*\|/.test(line);
  }

  #styled(text: string): string {
    return this.#lineStyle === undefined || text === '' ? text : style(this.#lineStyle, text);
  }

  #endTable(): string {
    const rows = this.#table
      .filter((line) => !TABLE_RULE.test(line))
      .map((line) =>
        line
          .trim()
          .replace(/^\||\|$/g, '')
          .split('|')
          .map((cell) => renderWhole(cell.trim())),
      );
    this.#table = [];
    const columns = Math.max(0, ...rows.map((row) => row.length));
    const widths = Array.from({ length: columns }, (_, column) =>
      Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
    );
    return rows
      .map((row, index) => {
        const cells = widths.map((width, column) => padTo(row[column] ?? '', width));
        const line = cells.join('  ').trimEnd();
        return `${index === 0 ? style('bold', line) : line}\n`;
      })
      .join('');
  }
}

interface Spans {
  readonly output: string;
  /** What more text could still change; empty for a whole line. */
  readonly open: string;
  /** The last character that was taken, because an underscore inside a word opens nothing. */
  readonly last: string;
}

function renderSpans(text: string, context: { readonly isWholeLine: boolean; readonly last: string }): Spans {
  let output = '';
  let rest = text;
  let { last } = context;
  const take = (count: number, shown: string) => {
    if (count > 0) last = rest[count - 1] ?? last;
    output += shown;
    rest = rest.slice(count);
  };
  for (;;) {
    const start = rest.search(OPENERS);
    const plain = start === -1 ? rest : rest.slice(0, start);
    take(plain.length, plain);
    if (rest === '') return { output, open: '', last };
    const span = spanAt(rest, last);
    // Whether an underscore closes depends on the character after it.
    const isCertain = context.isWholeLine || !rest.startsWith('_') || span?.length !== rest.length;
    if (span !== undefined && isCertain) take(span.length, span.output);
    else if (context.isWholeLine || (span === undefined && isPlain(rest, last))) take(1, rest[0] ?? '');
    else return { output, open: rest, last };
  }
}

/** A span or cell by itself. */
function renderWhole(text: string): string {
  return renderSpans(text, { isWholeLine: true, last: ' ' }).output;
}

function spanAt(text: string, previous: string): { output: string; length: number } | undefined {
  const escaped = /^\\([!-/:-@[-`{-~])/.exec(text);
  if (escaped !== null) return { output: escaped[1] ?? '', length: 2 };
  const link = LINK.exec(text);
  if (link !== null) {
    const [whole, label = '', url = ''] = link;
    const target = label === url ? '' : ` (${style('dim', url)})`;
    return { output: `${style('underline', label)}${target}`, length: whole.length };
  }
  if (text.startsWith('_') && isWordCharacter(previous)) return undefined;
  for (const [pattern, name] of SPANS) {
    const [whole, inner] = pattern.exec(text) ?? [];
    if (whole === undefined || inner === undefined) continue;
    const shown = name === 'code' ? inner : renderWhole(inner);
    return { output: style(name, shown), length: whole.length };
  }
  return undefined;
}

/** Whether more text cannot make a span of this character: a star between spaces, an underscore inside a word. */
function isPlain(text: string, previous: string): boolean {
  if (text.startsWith('_') && isWordCharacter(previous)) return true;
  return /^[*_~]\s/.test(text);
}

function isWordCharacter(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}

function style(name: Style, text: string): string {
  const [on, off] = STYLES[name];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Columns on screen: East Asian characters and emoji take two, combining marks none, and styles none. */
function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of styles
  const plain = text.replace(/\u001b\[\d+m/g, '');
  let width = 0;
  for (const character of plain) {
    if (/\p{M}|\u200d/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}

function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
