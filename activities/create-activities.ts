/** The activities, with what they need given to them. Verbs: the Temporal UI shows these names. */
import { answerFromCache } from './answer-from-cache.ts';
import { createRunningStreams } from './attempt/running-streams.ts';
import { createBeginning } from './begin-generation.ts';
import { closeGeneration } from './close-generation.ts';
import type { Dependencies } from './dependencies.ts';
import { raiseOutputCap } from './raise-output-cap.ts';
import { sendBudgetWarning } from './send-budget-warning.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { streamFromProvider } from './stream-from-provider.ts';
import { waitForRoom } from './wait-for-room.ts';

export function createActivities(dependencies: Dependencies) {
  const running = createRunningStreams();
  const { beginGeneration, beginEarly } = createBeginning(dependencies, running);
  const activities = {
    beginGeneration,
    streamFromProvider: streamFromProvider(dependencies, running),
    settleBudget: settleBudget(dependencies),
    storeAnswer: storeAnswer(dependencies),
    answerFromCache: answerFromCache(dependencies),
    waitForRoom: waitForRoom(dependencies),
    closeGeneration: closeGeneration(dependencies),
    raiseOutputCap: raiseOutputCap(dependencies),
    sendBudgetWarning: sendBudgetWarning(dependencies),
  };
  return { activities, beginEarly };
}

export type Activities = ReturnType<typeof createActivities>['activities'];
