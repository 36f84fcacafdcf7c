/**
 * Compares the first text of a continuation with what readers have. A model that was asked to continue an answer may
 * restart it, say its end again, or announce that it continues: small models, caches and replays do. Text that repeats
 * the answer is held back while it does.
 *
 * - It repeats all of the answer, or its end: only the rest is written.
 * - A long repeat of the beginning then differs: it is another answer. The old text is voided, the new one is written
 *   whole. The same where most of the beginning comes again behind another opening, or in partly other words.
 * - A remark about continuing is dropped, and so is a second opening fence of a code block.
 *
 * A model that continues is delayed only until its first character that differs.
 */
import type { FinishReason } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { findPreamble, isInCodeBlock } from './continuation-preamble.ts';
import { isRepeatedEnd, repeatedEndChars } from './repeated-end.ts';
import { RepeatedOpening } from './repeated-opening.ts';
import type { GuardedText, RestartGuard } from './restart-guard.ts';

/** A shorter text may be repeated by chance. */
const LEAST_GUARDED_CHARS = 4;
const LEAST_TITLE_CHARS = 8;
/** An end that is repeated begins within this many characters of it. */
const END_CHARS = 2_000;
const NOTHING: GuardedText = { reset: false, text: '' };

export function createContinuationGuard(deliveredText: string): RestartGuard {
  return new ContinuationGuard(deliveredText);
}

class ContinuationGuard implements RestartGuard {
  readonly #delivered: string;
  readonly #beginning: string;
  readonly #end: string;
  readonly #opening: RepeatedOpening;
  /** Whether the beginning is compared: a list or a refrain may continue as it began. */
  readonly #comparesBeginning: boolean;
  /** What was received so far, while it is compared or watched. */
  #heard = '';
  #isOpen: boolean;
  #isWatching = false;

  constructor(delivered: string) {
    this.#delivered = delivered;
    this.#beginning = delivered.trimStart();
    this.#end = this.#beginning.slice(-END_CHARS);
    this.#opening = new RepeatedOpening(delivered);
    this.#isOpen = this.#beginning.length < LEAST_GUARDED_CHARS;
    this.#comparesBeginning = !repeatsItself(this.#beginning);
  }

  push(text: string): GuardedText {
    if (this.#isOpen) return this.#watch(text);
    this.#heard += text;
    return this.#compare(null);
  }

  finish(reason: FinishReason = 'stop'): GuardedText {
    return this.#isOpen ? NOTHING : this.#compare(reason);
  }

  /** @param ended why the text ended; null if more may follow. */
  #compare(ended: FinishReason | null): GuardedText {
    const preamble = findPreamble(this.#heard, this.#delivered);
    if (preamble.kind === 'undecided' && ended === null) return NOTHING;
    const isFence = preamble.kind === 'fence';
    const isDropped = preamble.kind === 'remark' || (isFence && isInCodeBlock(this.#delivered));
    const heard = 'rest' in preamble ? preamble.rest : this.#heard;
    const kept = isDropped ? heard : this.#heard;
    const text = heard.trimStart();
    const isWhole = this.#comparesBeginning && text.startsWith(this.#beginning);
    if (isWhole) {
      // Behind an opening fence it is another answer, with the end of that fence.
      if (isFence && !isDropped) return this.#restart(kept);
      return this.#pass(text.slice(this.#beginning.length));
    }
    if (this.#mayRepeat(text, heard)) return ended === null ? NOTHING : this.#finishRepeat(text, kept, ended);
    if (this.#comparesBeginning && isRepeatedStart(text, this.#beginning)) return this.#restart(kept);
    const endChars = repeatedEndChars(this.#end, text);
    if (endChars > 0) return this.#pass(text.slice(endChars));
    this.#isOpen = true;
    this.#heard = '';
    this.#isWatching = this.#comparesBeginning && this.#opening.isWatching;
    return this.#watch(kept);
  }

  /** Whether all text so far is found in the answer: at its beginning, or near its end. */
  #mayRepeat(text: string, heard: string): boolean {
    if (this.#comparesBeginning && this.#beginning.startsWith(text)) return true;
    // A space belongs to the next word; a line break may have been added before the repeat.
    return this.#end.includes(/^\s*\n/.test(heard) ? text : heard);
  }

  #finishRepeat(text: string, kept: string, reason: FinishReason): GuardedText {
    if (this.#end.endsWith(text) && isRepeatedEnd(this.#end, text.length)) return this.#pass('');
    const isLong = text.length >= LIMITS.leastContinuedChars;
    // The cap cut it within the repeat: readers have all of it already.
    if (isLong && reason === 'length') return this.#pass('');
    const isStart = this.#comparesBeginning && this.#beginning.startsWith(text);
    return isLong && isStart ? this.#restart(kept) : this.#pass(kept);
  }

  #watch(text: string): GuardedText {
    if (!this.#isWatching) return { reset: false, text };
    this.#heard += text;
    if (this.#opening.isRestartedIn(this.#heard)) return this.#restart(this.#heard);
    this.#isWatching = this.#opening.isWatching;
    return { reset: false, text };
  }

  #restart(text: string): GuardedText {
    return { ...this.#pass(text), reset: true };
  }

  #pass(text: string): GuardedText {
    this.#isOpen = true;
    this.#isWatching = false;
    this.#heard = '';
    return { reset: false, text };
  }
}

/** Whether a text repeats so much of the beginning that it is another answer: many characters, or all of a title. */
function isRepeatedStart(text: string, beginning: string): boolean {
  const same = commonLength(text, beginning);
  if (same >= LIMITS.leastContinuedChars) return true;
  const title = beginning.indexOf('\n');
  return title >= LEAST_TITLE_CHARS && same > title;
}

/** True for lists, refrains and tables: a continuation of such a text may begin as the text itself does. */
function repeatsItself(text: string): boolean {
  const length = Math.min(LIMITS.leastContinuedChars, Math.floor(text.length / 2));
  return text.indexOf(text.slice(0, length), 1) !== -1;
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
