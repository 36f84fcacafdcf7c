/** The value of a JSON answer while it is being written. Each character is read once, however long the answer gets. */
import type { GenerationEvent } from '../../contracts/events.ts';

type Container = Record<string, unknown> | unknown[];

interface Level {
  readonly container: Container;
  /** The key whose value comes next, in an object. */
  key: string;
}

type Mode = 'value' | 'string' | 'literal' | 'key' | 'colon' | 'next' | 'broken';

const BLANK = ' \t\n\r';
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const LITERALS: ReadonlyMap<string, unknown> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * Parses JSON that arrives in parts. `value` is one value that grows: clone what you keep of it. A string appears with
 * its first characters; a number, `true`, `false` and `null` appear when they are whole.
 */
export class PartialJson {
  #value: unknown;
  #levels: Level[] = [];
  #mode: Mode = 'value';
  #isKey = false;
  /** The string or literal so far. */
  #text = '';
  /** An escape that has begun, without its backslash; null: none. */
  #escape: string | null = null;

  /** undefined before anything is known of it. */
  get value(): unknown {
    return this.#value;
  }

  push(text: string): void {
    for (const character of text) this.#take(character);
    if (this.#mode === 'string' && !this.#isKey) this.#place(this.#text);
  }

  /** The text so far is void. */
  reset(): void {
    this.#value = undefined;
    this.#levels = [];
    this.#mode = 'value';
    this.#isKey = false;
    this.#text = '';
    this.#escape = null;
  }

  #take(character: string): void {
    switch (this.#mode) {
      case 'string':
        this.#takeString(character);
        return;
      case 'literal':
        if (!`${BLANK},]}`.includes(character)) {
          this.#text += character;
          return;
        }
        this.#endLiteral();
        this.#take(character);
        return;
      case 'broken':
        return;
      default:
        if (!BLANK.includes(character)) this.#takeSign(character);
    }
  }

  #takeSign(character: string): void {
    const level = this.#levels.at(-1);
    const closes = level !== undefined && character === (Array.isArray(level.container) ? ']' : '}');
    if (closes && this.#mode !== 'colon') {
      this.#levels.pop();
      this.#mode = 'next';
    } else if (this.#mode === 'next' && character === ',' && level !== undefined) {
      this.#mode = Array.isArray(level.container) ? 'value' : 'key';
    } else if (this.#mode === 'colon' && character === ':') {
      this.#mode = 'value';
    } else if (this.#mode === 'key' && character === '"') {
      this.#beginString(true);
    } else if (this.#mode === 'value') {
      this.#beginValue(character);
    } else {
      this.#mode = 'broken';
    }
  }

  #beginValue(character: string): void {
    if (character === '"') {
      this.#beginString(false);
      return;
    }
    if (character !== '{' && character !== '[') {
      this.#mode = 'literal';
      this.#text = character;
      return;
    }
    const container: Container = character === '[' ? [] : {};
    this.#placeNew(container);
    this.#levels.push({ container, key: '' });
    this.#mode = character === '[' ? 'value' : 'key';
  }

  #beginString(isKey: boolean): void {
    this.#mode = 'string';
    this.#isKey = isKey;
    this.#text = '';
    if (!isKey) this.#placeNew('');
  }

  #takeString(character: string): void {
    if (this.#escape !== null) {
      this.#escape += character;
      const isWhole = this.#escape.charAt(0) !== 'u' || this.#escape.length === 5;
      if (!isWhole) return;
      this.#text += characterOf(this.#escape);
      this.#escape = null;
    } else if (character === '\\') this.#escape = '';
    else if (character === '"') this.#endString();
    else this.#text += character;
  }

  #endString(): void {
    const level = this.#levels.at(-1);
    if (this.#isKey && level !== undefined) {
      level.key = this.#text;
      this.#mode = 'colon';
      return;
    }
    this.#place(this.#text);
    this.#mode = 'next';
  }

  #endLiteral(): void {
    const value = LITERALS.has(this.#text) ? LITERALS.get(this.#text) : Number(this.#text);
    const isValue = !Number.isNaN(value);
    if (isValue) this.#placeNew(value);
    this.#mode = isValue ? 'next' : 'broken';
  }

  #placeNew(value: unknown): void {
    const container = this.#levels.at(-1)?.container;
    if (Array.isArray(container)) container.push(value);
    else this.#place(value);
  }

  /** In a list, it replaces the element that is growing. */
  #place(value: unknown): void {
    const level = this.#levels.at(-1);
    if (level === undefined) this.#value = value;
    else if (Array.isArray(level.container)) {
      level.container[level.container.length - 1] = value;
    } else {
      // An assignment to `__proto__` would set the prototype.
      const property = { value, writable: true, enumerable: true, configurable: true };
      Object.defineProperty(level.container, level.key, property);
    }
  }
}

/** @param sign an escape without its backslash. */
function characterOf(sign: string): string {
  if (sign.charAt(0) === 'u') return String.fromCharCode(Number.parseInt(sign.slice(1), 16));
  return ESCAPES[sign] ?? sign;
}

/**
 * Yields the value of a JSON answer whenever it has grown. It is one value: clone what you keep of it. After a
 * `text-reset` another one begins.
 */
export async function* partialJson(
  events: AsyncIterable<GenerationEvent> | Iterable<GenerationEvent>,
): AsyncGenerator<unknown, void, undefined> {
  const json = new PartialJson();
  for await (const event of events) {
    if (event.type === 'text-reset') json.reset();
    if (event.type !== 'text-delta') continue;
    json.push(event.text);
    if (json.value !== undefined) yield json.value;
  }
}
