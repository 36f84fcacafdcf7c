/** Reserves the worst case of a generation: its input, and as much output as it asked for or the budget has left. */
import { ApplicationFailure } from '@temporalio/common';
import type { ReserveOutcome } from '../budget/ledger.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import { boundInputTokens, leastOutputTokens, withContinuedText } from '../contracts/tokens.ts';
import type { Dependencies } from './dependencies.ts';

export function reserveBudget({ budget, log, countTokens }: Dependencies) {
  return async ({
    generationId,
    tenant,
    user,
    maxOutputTokens,
  }: GenerationOrder): Promise<ReserveOutcome> => {
    const input = await log.readInput(generationId);
    if (input === null) {
      throw ApplicationFailure.create({
        message: 'The input of this generation is no longer stored.',
        type: 'input_lost',
        nonRetryable: true,
      });
    }
    return budget.reserve({
      generationId,
      tenant,
      user,
      inputTokens: boundInputTokens(withContinuedText(input), countTokens),
      maxOutputTokens,
      minOutputTokens: leastOutputTokens(maxOutputTokens),
    });
  };
}
