/** Reserves the worst case of a generation: its input as it is sent, and as much output as it asked for or the budget has left. */
import { ApplicationFailure } from '@temporalio/common';
import type { ReserveOutcome } from '../budget/ledger.ts';
import type { CompressedTokens, GenerationOrder } from '../contracts/generation.ts';
import { boundInputTokens, leastOutputTokens, withContinuedText } from '../contracts/tokens.ts';
import type { Dependencies } from './dependencies.ts';
import { prepareInput } from './sent-input.ts';

export interface PreparedReservation {
  readonly outcome: ReserveOutcome;
  readonly compressed: CompressedTokens | undefined;
}

export function reserveBudget(dependencies: Dependencies) {
  const { budget, countTokens } = dependencies;
  return async ({
    generationId,
    tenant,
    user,
    maxOutputTokens,
  }: GenerationOrder): Promise<PreparedReservation> => {
    const prepared = await prepareInput(dependencies, generationId);
    if (prepared === null) {
      throw ApplicationFailure.create({
        message: 'The input of this generation is no longer stored.',
        type: 'input_lost',
        nonRetryable: true,
      });
    }
    const { input, compressed } = prepared;
    const outcome = await budget.reserve({
      generationId,
      tenant,
      user,
      inputTokens: boundInputTokens(withContinuedText(input), countTokens),
      maxOutputTokens,
      minOutputTokens: leastOutputTokens(maxOutputTokens),
    });
    return { outcome, compressed };
  };
}
