/** The activities, with what they need given to them. Verbs: the Temporal UI shows these names. */
import { closeGeneration } from './close-generation.ts';
import type { Dependencies } from './dependencies.ts';
import { lookUpCache } from './look-up-cache.ts';
import { raiseOutputCap } from './raise-output-cap.ts';
import { reserveBudget } from './reserve-budget.ts';
import { sendBudgetWarning } from './send-budget-warning.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { streamFromProvider } from './stream-from-provider.ts';

export function createActivities(dependencies: Dependencies) {
  return {
    lookUpCache: lookUpCache(dependencies),
    reserveBudget: reserveBudget(dependencies),
    streamFromProvider: streamFromProvider(dependencies),
    settleBudget: settleBudget(dependencies),
    storeAnswer: storeAnswer(dependencies),
    closeGeneration: closeGeneration(dependencies),
    raiseOutputCap: raiseOutputCap(dependencies),
    sendBudgetWarning: sendBudgetWarning(dependencies),
  };
}

export type Activities = ReturnType<typeof createActivities>;
