/**
 * Compares the text of a restarted answer with what readers already have. While it is the same, nothing is passed
 * on; once it reaches the end of the delivered text, the rest goes on without a reset; where it differs, the old text
 * is voided and the new one is given from its beginning.
 */
import type { FinishReason } from '../../contracts/generation.ts';

export type GuardedText = { readonly reset: boolean; readonly text: string };

export interface RestartGuard {
  push(text: string): GuardedText;
  /** The new answer has ended, or continues with something other than text. Ended inside the delivered text, it voids the old text. */
  finish(reason?: FinishReason): GuardedText;
}

export function createRestartGuard(deliveredText: string): RestartGuard {
  let held = '';
  let isOpen = deliveredText === '';
  return {
    push(text) {
      if (isOpen) return { reset: false, text };
      held += text;
      if (held.startsWith(deliveredText)) {
        isOpen = true;
        return { reset: false, text: held.slice(deliveredText.length) };
      }
      if (deliveredText.startsWith(held)) return { reset: false, text: '' };
      isOpen = true;
      return { reset: true, text: held };
    },
    finish() {
      if (isOpen) return { reset: false, text: '' };
      isOpen = true;
      return { reset: true, text: held };
    },
  };
}
