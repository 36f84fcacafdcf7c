/**
 * Compares the text of a restarted answer with what readers already have. While they are equal, nothing is written. If
 * the new text repeats all of the delivered text, the rest follows without a reset. If it differs, the old text is
 * voided and the new one is written from its beginning.
 */
import type { FinishReason } from '../../contracts/generation.ts';

export type GuardedText = { readonly reset: boolean; readonly text: string };

export interface RestartGuard {
  push(text: string): GuardedText;
  /** Called at the end of the answer or before a non-text delta. Inside the delivered text, it voids the old text. */
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
