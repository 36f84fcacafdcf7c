/** Puts the reasoning of an answer back into the turn that a client sent without it. */
import type { Part } from '../../contracts/content.ts';
import type { AnswerPart } from './answer-parts.ts';

/** Each stands where the model had it. */
export function withReasoning(parts: readonly Part[], answer: readonly AnswerPart[]): Part[] {
  const left = [...parts];
  const take = (isNext: (part: Part) => boolean): Part[] => {
    const at = left.findIndex(isNext);
    return at < 0 ? [] : left.splice(0, at + 1);
  };
  const placed = answer.flatMap((own): Part[] => {
    if (own.type === 'text') return take(({ type }) => type === 'text');
    if (own.type === 'tool-call') return take((part) => part.type === 'tool-call' && part.id === own.id);
    if (own.type === 'native') return [];
    const { text, sealed } = own;
    return [{ type: 'reasoning', text, ...(sealed === undefined ? {} : { sealed }) }];
  });
  return [...placed, ...left];
}
