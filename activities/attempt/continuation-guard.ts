/**
 * Compares the first text of a continuation with what readers have. A model that was asked to continue an answer may
 * restart it instead: small models, caches and replays do. Text that repeats the answer's beginning is held back. If it
 * repeats all of the answer, only the rest is written. If a long repeat then differs, it is another answer: the old
 * text is voided and the new one is written whole. A model that continues is delayed only until its first character
 * that differs from the beginning.
 */
import type { FinishReason } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { GuardedText, RestartGuard } from './restart-guard.ts';

/** A shorter text may be repeated by chance. */
const LEAST_GUARDED_CHARS = 8;

export function createContinuationGuard(deliveredText: string): RestartGuard {
  const beginning = deliveredText.trimStart();
  let held = '';
  let isOpen = beginning.length < LEAST_GUARDED_CHARS || repeatsItself(beginning);
  const open = (guarded: GuardedText): GuardedText => {
    isOpen = true;
    return guarded;
  };
  return {
    push(text) {
      if (isOpen) return { reset: false, text };
      held += text;
      const heard = held.trimStart();
      if (heard.startsWith(beginning)) return open({ reset: false, text: heard.slice(beginning.length) });
      if (beginning.startsWith(heard)) return { reset: false, text: '' };
      return open({ reset: isRepeat(commonLength(heard, beginning)), text: held });
    },
    finish(reason?: FinishReason) {
      if (isOpen) return { reset: false, text: '' };
      // The cap cut it within the repeat: readers have all of it already.
      const isRepeated = isRepeat(held.trimStart().length);
      if (isRepeated && reason === 'length') return open({ reset: false, text: '' });
      return open({ reset: isRepeated, text: held });
    },
  };
}

function isRepeat(sameChars: number): boolean {
  return sameChars >= LIMITS.leastContinuedChars;
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
