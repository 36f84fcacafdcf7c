/** What an alignment of words does not see: when it happens, who does it, whose it is, and from where. */
import type { Alignment } from './align.ts';
import { areInOneOrder } from './in-order.ts';

const FORMS: readonly RegExp[] = [
  /\b(?:will|shall)\b|['’]ll\b/i,
  /\b(?:did|was|were|had|has)\b/i,
  /(?<!\b(?:it|that|what|who|where|when|how|why|there|here|let|he|she))['’]s\b/i,
  /\bfrom\b/i,
];
const PASSIVE = /\b(?:is|are|be|been|being|was|were) \w+(?:ed|en)\b/i;

export function haveSameForms(prompt: string, other: string, alignment: Alignment): boolean {
  const isSame = (form: RegExp) => form.test(prompt) === form.test(other);
  // She owes, she is owed: a passive that keeps the order turns around who does it.
  return FORMS.every(isSame) && (isSame(PASSIVE) || !areInOneOrder(alignment));
}
