/** The journal of a generation: a line for each event that says something to a person. */
import { candidateName } from '../../../contracts/candidate.ts';
import type { GenerationEvent } from '../../typescript/index.ts';
import { formatCost, formatCount } from './format.ts';
import { describeMatch } from './timeline.ts';

export interface JournalEntry {
  readonly seq: number;
  readonly at: number;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

export function journalWith(
  journal: readonly JournalEntry[],
  event: GenerationEvent,
): readonly JournalEntry[] {
  const description = describe(event);
  return description === null ? journal : [...journal, { seq: event.seq, at: event.at, ...description }];
}

const STRATEGIES = {
  start: 'starts',
  reattach: 'reattaches to its running response',
  prefill: 'continues the delivered text',
  instruct: 'is instructed to continue the delivered text',
  restart: 'starts over',
} as const;

/** Describes an event for a person; null for deltas and other frequent events. */
function describe(event: GenerationEvent): Pick<JournalEntry, 'text' | 'tone'> | null {
  const plain = (text: string) => ({ text, tone: 'plain' as const });
  switch (event.type) {
    case 'generation-start':
      return plain(`Accepted on route ${event.route} for ${event.user}${promptOf(event.prompt)}`);
    case 'generation-continue':
      return plain(`Continues the ${formatCount(event.chars)} characters of ${event.generationId}`);
    case 'prompt-compress': {
      const [before, after] = [formatCount(event.tokensBefore), formatCount(event.tokensAfter)];
      return plain(`Context compressed from ${before} to ${after} tokens by ${event.engine}`);
    }
    case 'compaction':
      return plain(`Older turns summarised by ${event.generationId}`);
    case 'budget-warn':
      return {
        text: `Budget of ${event.per} ${event.id} for the ${event.window} is nearly spent`,
        tone: 'bad',
      };
    case 'cap-raise':
      return plain(`Output cap raised to ${formatCount(event.maxOutputTokens)} tokens`);
    case 'cache-hit':
      return { text: `Answered from the cache: ${describeMatch(event)}`, tone: 'good' };
    case 'budget-reserve':
      return plain(`Budget: ${formatCount(event.reservedTokens)} tokens reserved`);
    case 'provider-start':
      return plain(`Attempt ${event.attempt}: ${candidateName(event)} ${STRATEGIES[event.strategy]}`);
    case 'provider-error':
      return { text: `Attempt ${event.attempt} ended: ${event.code}`, tone: 'bad' };
    case 'text-reset':
      return { text: 'The text so far is void', tone: 'bad' };
    case 'generation-end':
      return { text: `Complete: ${event.finishReason}, ${formatCost(event.costMicroUsd)}`, tone: 'good' };
    case 'generation-error':
      return { text: `Failed: ${event.error.code}`, tone: 'bad' };
    case 'generation-cancel':
      return { text: `Cancelled; ${formatCost(event.costMicroUsd)} billed`, tone: 'bad' };
    default:
      return null;
  }
}

function promptOf(prompt: { readonly name: string; readonly version: number } | undefined): string {
  return prompt === undefined ? '' : `, prompt ${prompt.name} v${prompt.version}`;
}
