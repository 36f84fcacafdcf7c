/**
 * The JSON within the text of an answer that must be JSON. Models without constrained decoding put it into a code fence
 * or write a sentence before or after it. Only the value is passed on, as it arrives, so readers get no text that would
 * be void later. Text that does not begin like an object, a list, a string or a fence is held until it ends.
 */
import { isJson } from '../../contracts/json.ts';

const FENCE = '```';
const END_OF_THOUGHTS = '</think>';
const OPENING = new Set(['{', '[']);
const CLOSING = new Set(['}', ']']);

export class JsonText {
  /** `before`: no value has begun. `unclear`: it began in another way, and is held. `after`: the value is whole. */
  #state: 'before' | 'unclear' | 'value' | 'after' = 'before';
  #held = '';
  readonly #value = new ValueEnd();

  /** @returns what may be passed on now. */
  push(text: string): string {
    if (this.#state === 'after') return '';
    if (this.#state === 'value') return this.#passValue(text);
    this.#held += text;
    return this.#state === 'before' ? this.#begin() : '';
  }

  /** The text has ended. @returns what is left of it to pass on. */
  finish(): string {
    const held = this.#held;
    this.#held = '';
    return this.#state === 'unclear' ? (findJson(held) ?? held) : held;
  }

  #begin(): string {
    for (;;) {
      const text = this.#held.trimStart();
      if (text === '' || (text.length < FENCE.length && FENCE.startsWith(text))) return '';
      const first = text.charAt(0);
      if (OPENING.has(first) || first === '"') {
        const held = this.#held;
        this.#held = '';
        this.#state = 'value';
        return this.#passValue(held);
      }
      if (!text.startsWith(FENCE)) {
        this.#state = 'unclear';
        return '';
      }
      const lineEnd = text.indexOf('\n');
      if (lineEnd === -1) return '';
      const blank = this.#held.slice(0, this.#held.length - text.length);
      this.#held = `${blank}${text.slice(lineEnd + 1)}`;
    }
  }

  #passValue(text: string): string {
    const end = this.#value.findEnd(text);
    if (end === -1) return text;
    this.#state = 'after';
    return text.slice(0, end);
  }
}

/** Finds where a JSON value ends that arrives in parts. */
class ValueEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** @returns the index behind the value's last character in this part; -1 if more must follow. */
  findEnd(text: string): number {
    for (let at = 0; at < text.length; at += 1) {
      if (this.#isEnd(text.charAt(at))) return at + 1;
    }
    return -1;
  }

  #isEnd(character: string): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === '\\') this.#isEscaped = true;
      else if (character === '"') {
        this.#isInString = false;
        return this.#depth === 0;
      }
      return false;
    }
    if (character === '"') this.#isInString = true;
    else if (OPENING.has(character)) this.#depth += 1;
    else if (CLOSING.has(character)) {
      this.#depth -= 1;
      return this.#depth === 0;
    }
    return false;
  }
}

/** How many beginnings of a value are tried. */
const MOST_TRIES = 100;

/**
 * A value behind other words: in the first code fence, or the first object or list. Some servers leave the thoughts of
 * a model in its text, and these may quote other values. undefined if none is whole.
 */
function findJson(whole: string): string | undefined {
  const text = whole.slice(Math.max(0, whole.lastIndexOf(END_OF_THOUGHTS)));
  for (const found of candidatesIn(text)) if (isJson(found)) return found;
  return undefined;
}

/** One at a time: the first one is mostly the value. */
function* candidatesIn(text: string): Generator<string> {
  const inFence = fenced(text);
  if (inFence !== undefined) yield inFence;
  for (const opening of OPENING) yield* valuesIn(text, opening);
}

function fenced(text: string): string | undefined {
  const start = text.indexOf('\n', text.indexOf(FENCE));
  if (!text.includes(FENCE) || start === -1) return undefined;
  const end = text.indexOf(FENCE, start);
  return end === -1 ? undefined : text.slice(start + 1, end).trim();
}

/** Whatever begins with this character and ends where it is closed. */
function* valuesIn(text: string, opening: string): Generator<string> {
  let start = text.indexOf(opening);
  for (let tries = 0; start !== -1 && tries < MOST_TRIES; tries += 1) {
    const rest = text.slice(start);
    const end = new ValueEnd().findEnd(rest);
    if (end !== -1) yield rest.slice(0, end);
    start = text.indexOf(opening, start + 1);
  }
}
