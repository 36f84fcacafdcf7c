/** The activities with their dependencies. The Temporal UI shows their names. */
import type { BeginStep, BegunGeneration } from '../contracts/steps.ts';
import { answerFromCache } from './answer-from-cache.ts';
import { RunningStreams } from './attempt/running-streams.ts';
import { type BeginEarly, Beginnings } from './begin-generation.ts';
import { closeGeneration } from './close-generation.ts';
import type { Dependencies } from './dependencies.ts';
import { noteCompaction } from './note-compaction.ts';
import { raiseOutputCap } from './raise-output-cap.ts';
import { sendBudgetWarning } from './send-budget-warning.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { streamFromProvider } from './stream-from-provider.ts';
import { waitForRoom } from './wait-for-room.ts';

export function createActivities(dependencies: Dependencies) {
  const running = new RunningStreams();
  const beginnings = new Beginnings(dependencies, running);
  const activities = {
    beginGeneration: (step: BeginStep): Promise<BegunGeneration> => beginnings.beginGeneration(step),
    noteCompaction: noteCompaction(dependencies),
    streamFromProvider: streamFromProvider(dependencies, running),
    settleBudget: settleBudget(dependencies),
    storeAnswer: storeAnswer(dependencies),
    answerFromCache: answerFromCache(dependencies),
    waitForRoom: waitForRoom(dependencies),
    closeGeneration: closeGeneration(dependencies),
    raiseOutputCap: raiseOutputCap(dependencies),
    sendBudgetWarning: sendBudgetWarning(dependencies),
  };
  const beginEarly: BeginEarly = (start) => beginnings.beginEarly(start);
  return { activities, beginEarly };
}

export type Activities = ReturnType<typeof createActivities>['activities'];
