/**
 * Compares the first text of a continuation with what readers have. A model that was asked to continue an answer may
 * begin it again all the same: small models, caches and replays do. What repeats the answer's beginning is held back.
 * Where all of it is repeated, only the rest is passed on. Where a long repeat then differs, it is another answer: the old
 * text is voided and the new one is given whole. A model that continues is delayed by no more than its first character
 * that differs from the beginning.
 */
import type { FinishReason } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { GuardedText, RestartGuard } from './restart-guard.ts';

/** Of less text than this it cannot be said that it is repeated. */
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
      const said = held.trimStart();
      if (said.startsWith(beginning)) return open({ reset: false, text: said.slice(beginning.length) });
      if (beginning.startsWith(said)) return { reset: false, text: '' };
      return open({ reset: isRepeat(commonLength(said, beginning)), text: held });
    },
    finish(reason?: FinishReason) {
      if (isOpen) return { reset: false, text: '' };
      // Cut by its cap within the repeat, it has nothing that readers do not have.
      const isRepeated = isRepeat(held.trimStart().length);
      if (isRepeated && reason === 'length') return open({ reset: false, text: '' });
      return open({ reset: isRepeated, text: held });
    },
  };
}

function isRepeat(sameChars: number): boolean {
  return sameChars >= LIMITS.leastContinuedChars;
}

/** Lists, refrains and tables: the continuation of such a text may well begin as the text itself does. */
function repeatsItself(text: string): boolean {
  const length = Math.min(LIMITS.leastContinuedChars, Math.floor(text.length / 2));
  return text.indexOf(text.slice(0, length), 1) !== -1;
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
