/** A string that matches a regular expression. Look-around is skipped; the caller checks the result. */
import type { Chance } from '../text/chance.ts';

type Node =
  | { readonly kind: 'literal'; readonly text: string }
  /** Any character that this expression matches. */
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'group'; readonly place: number; readonly node: Node }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number }
  | { readonly kind: 'back'; readonly place: number };

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const CHARACTERS = Array.from(
  `${LETTERS}${LETTERS.toUpperCase()}0123456789-_ .,:;!?/@#$%&*+='"()<>[]{}|~^\`\\\n\tàéßñΩжя中あ한🚀`,
);
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v', '0': '\0' };

/**
 * @param extra how often a repeated part is repeated beyond its minimum.
 * @returns null where the pattern cannot be read.
 */
export function samplePattern(pattern: string, chance: Chance, extra: number): string | null {
  try {
    const node = new PatternReader(pattern).read();
    return write(node, { chance, extra, groups: new Map() });
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

interface Writing {
  readonly chance: Chance;
  readonly extra: number;
  readonly groups: Map<number, string>;
}

function write(node: Node, writing: Writing): string {
  switch (node.kind) {
    case 'literal':
      return node.text;
    case 'set':
      return pickCharacter(node.source, writing.chance);
    case 'sequence':
      return node.nodes.map((part) => write(part, writing)).join('');
    case 'choice':
      return write(writing.chance.pick(node.nodes), writing);
    case 'group': {
      const text = write(node.node, writing);
      writing.groups.set(node.place, text);
      return text;
    }
    case 'repeat': {
      const count = Math.min(node.most, node.least + writing.extra);
      return Array.from({ length: count }, () => write(node.node, writing)).join('');
    }
    case 'back':
      return writing.groups.get(node.place) ?? '';
  }
}

function pickCharacter(source: string, chance: Chance): string {
  const expression = new RegExp(`^(?:${source})$`, 'u');
  const fitting = CHARACTERS.filter((character) => expression.test(character));
  // A set of rare characters: one that it names itself.
  const named = Array.from(source).find((character) => expression.test(character));
  return fitting.length > 0 ? chance.pick(fitting) : (named ?? '');
}

class PatternReader {
  readonly #pattern: readonly string[];
  #place = 0;
  #groups = 0;

  constructor(pattern: string) {
    this.#pattern = Array.from(pattern);
  }

  read(): Node {
    const node = this.#readChoice();
    if (this.#place < this.#pattern.length) throw new SyntaxError('unbalanced');
    return node;
  }

  #readChoice(): Node {
    const nodes = [this.#readSequence()];
    while (this.#take('|')) nodes.push(this.#readSequence());
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'choice', nodes };
  }

  #readSequence(): Node {
    const nodes: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      nodes.push(this.#readRepeat(this.#readAtom()));
    }
    return { kind: 'sequence', nodes };
  }

  #readAtom(): Node {
    const character = this.#next();
    switch (character) {
      case '^':
      case '$':
        return { kind: 'literal', text: '' };
      case '.':
        return { kind: 'set', source: '.' };
      case '(':
        return this.#readGroup();
      case '[':
        return this.#readSet();
      case '\\':
        return this.#readEscape();
      default:
        return { kind: 'literal', text: character };
    }
  }

  #readGroup(): Node {
    let isSkipped = false;
    let place = 0;
    if (this.#take('?')) {
      const kind = this.#next();
      if (kind === '<' && (this.#peek() === '=' || this.#peek() === '!')) isSkipped = true;
      else if (kind === '<') {
        while (this.#next() !== '>');
        this.#groups += 1;
        place = this.#groups;
      } else isSkipped = kind === '=' || kind === '!';
      if (isSkipped && kind === '<') this.#next();
    } else {
      this.#groups += 1;
      place = this.#groups;
    }
    const node = this.#readChoice();
    if (!this.#take(')')) throw new SyntaxError('unbalanced');
    if (isSkipped) return { kind: 'literal', text: '' };
    return { kind: 'group', place, node };
  }

  #readSet(): Node {
    let source = '[';
    for (let character = this.#next(); character !== ']'; character = this.#next()) {
      source += character === '\\' ? `\\${this.#readWholeEscape()}` : escapeInSet(character, source);
    }
    return { kind: 'set', source: `${source}]` };
  }

  #readEscape(): Node {
    const sequence = this.#readWholeEscape();
    const [letter = ''] = sequence;
    if (/^[dDwWsSpP]/.test(sequence)) return { kind: 'set', source: `\\${sequence}` };
    if (letter === 'b' || letter === 'B') return { kind: 'literal', text: '' };
    if (/^[1-9]/.test(letter)) return { kind: 'back', place: Number(sequence) };
    if (letter === 'u' || letter === 'x') {
      return {
        kind: 'literal',
        text: String.fromCodePoint(Number.parseInt(sequence.replace(/[^\da-f]|^[ux]/gi, ''), 16)),
      };
    }
    return { kind: 'literal', text: ESCAPES[letter] ?? letter };
  }

  /** What follows a backslash, such as `d`, `u{1F680}` or `p{L}`. */
  #readWholeEscape(): string {
    const letter = this.#next();
    const length = letter === 'x' ? 2 : letter === 'u' && this.#peek() !== '{' ? 4 : 0;
    if (length > 0) return letter + Array.from({ length }, () => this.#next()).join('');
    if (!/[upP]/.test(letter) || this.#peek() !== '{') return letter;
    let sequence = letter;
    do sequence += this.#next();
    while (!sequence.endsWith('}'));
    return sequence;
  }

  #readRepeat(node: Node): Node {
    const bounds = this.#readBounds();
    if (bounds === null) return node;
    this.#take('?');
    return { kind: 'repeat', node, ...bounds };
  }

  #readBounds(): { least: number; most: number } | null {
    if (this.#take('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { least: 0, most: 1 };
    const rest = this.#pattern.slice(this.#place, this.#place + 24).join('');
    const [whole, least, comma, most] = /^\{(\d+)(,?)(\d*)\}/.exec(rest) ?? [];
    if (whole === undefined) return null;
    this.#place += whole.length;
    const unbounded = comma === '' ? Number(least) : Number.POSITIVE_INFINITY;
    return { least: Number(least), most: most === '' || most === undefined ? unbounded : Number(most) };
  }

  #peek(): string | undefined {
    return this.#pattern[this.#place];
  }

  #next(): string {
    const character = this.#pattern[this.#place];
    if (character === undefined) throw new SyntaxError('unfinished');
    this.#place += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#place += 1;
    return true;
  }
}

/** What is allowed within a set without the flag `u` or `v` only. */
function escapeInSet(character: string, before: string): string {
  if (character === '^' && before === '[') return '^';
  return /[[(){}/|]/.test(character) ? `\\${character}` : character;
}
