/** The activities, with what they need given to them. Verbs: the Temporal UI shows these names. */
import { beginGeneration } from './begin-generation.ts';
import { closeGeneration } from './close-generation.ts';
import type { Dependencies } from './dependencies.ts';
import { createRunningStreams } from './running-streams.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { streamFromProvider } from './stream-from-provider.ts';

export function createActivities(dependencies: Dependencies) {
  const running = createRunningStreams();
  return {
    beginGeneration: beginGeneration(dependencies, running),
    streamFromProvider: streamFromProvider(dependencies, running),
    settleBudget: settleBudget(dependencies),
    storeAnswer: storeAnswer(dependencies),
    closeGeneration: closeGeneration(dependencies),
  };
}

export type Activities = ReturnType<typeof createActivities>;
