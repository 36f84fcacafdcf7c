/** Waits for the end of generations, for a client that gets their answers whole. */
import type { Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { toGenerationFailure } from '../relay/hold-status.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { closedSignal } from '../relay/sse.ts';
import type { ViewerSink } from '../relay/viewer.ts';
import { type Answer, AnswerFold, type Fold, sumOfFacts } from './answer.ts';
import type { DroppedFields } from './dropped-fields.ts';
import { setUnbrokenHeaders } from './unbroken-headers.ts';

/** Waits for the end of the log. Resolves with null if the client disconnects first. */
export async function waitForEnd<Value>(
  dependencies: ApiDependencies,
  response: Response,
  generationId: string,
  fold: Fold<Value>,
): Promise<Value | null> {
  const closed = closedSignal(response);
  await relayEvents(dependencies, {
    generationId,
    after: -1,
    signal: closed,
    sink: collectingSink(fold),
  });
  return closed.aborted ? null : fold.value();
}

/** Waits for the whole answer. Throws what ended it otherwise, so that it becomes the status of the response. */
export async function waitForWholeAnswer(
  dependencies: ApiDependencies,
  response: Response,
  generationId: string,
  dropped?: DroppedFields,
): Promise<Answer | null> {
  const answers = await waitForWholeAnswers(dependencies, response, [generationId], dropped);
  return answers?.[0] ?? null;
}

/** The same for several generations: the first that fails ends the wait. */
export async function waitForWholeAnswers(
  dependencies: ApiDependencies,
  response: Response,
  generationIds: readonly string[],
  dropped?: DroppedFields,
): Promise<readonly Answer[] | null> {
  const closed = closedSignal(response);
  const over = new AbortController();
  const signal = AbortSignal.any([closed, over.signal]);
  const folds = generationIds.map(() => new AnswerFold());
  const answersSoFar = () => folds.map((fold) => fold.value());
  try {
    await Promise.all(
      folds.map(async (fold, index) => {
        const generationId = generationIds[index] ?? '';
        await relayEvents(dependencies, { generationId, after: -1, signal, sink: collectingSink(fold) });
        if (!signal.aborted) throwUnlessWhole(fold.value(), generationId);
      }),
    );
  } catch (error) {
    over.abort();
    const facts = sumOfFacts(answersSoFar());
    if (facts.generationId !== '') setUnbrokenHeaders(response, facts, dropped);
    throw error;
  }
  if (closed.aborted) return null;
  const answers = answersSoFar();
  setUnbrokenHeaders(response, sumOfFacts(answers), dropped);
  return answers;
}

function throwUnlessWhole({ end }: Answer, generationId: string): void {
  if (end?.type === 'generation-error') throw toGenerationFailure(end, generationId);
  if (end?.type !== 'generation-cancel') return;
  throw new UnbrokenError('cancelled', `The generation ${generationId} was cancelled.`);
}

/** A viewer that folds the events in this process. */
export function collectingSink(fold: Pick<Fold<unknown>, 'push'>): ViewerSink {
  return {
    ready: () => true,
    whenReady: async () => true,
    send: (events) => {
      for (const event of events) fold.push(event);
    },
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: true,
  };
}
