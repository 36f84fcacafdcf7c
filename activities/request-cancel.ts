/** Passes a cancellation on to the stream, wherever it runs. Its own heartbeats would learn of it seconds later. */
import type { CancelStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';

export function requestCancel({ log }: Pick<Dependencies, 'log'>) {
  return ({ generationId }: CancelStep): Promise<void> => log.requestCancel(generationId);
}
