/** Cancels a generation and waits for the end of its log, for a moment. */
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { relayEvents } from '../relay/relay-events.ts';
import { collectingSink } from '../wires/wait-for-answer.ts';
import { cancelRun } from './cancel-run.ts';

const CANCELLED_WITHIN_MS = 5_000;

export async function cancelAndWait(dependencies: ApiDependencies, head: LogHead): Promise<void> {
  if (head.status !== 'running') return;
  await cancelRun(dependencies, head);
  await relayEvents(dependencies, {
    generationId: head.generationId,
    after: -1,
    sink: collectingSink({ push: () => undefined }),
    signal: AbortSignal.timeout(CANCELLED_WITHIN_MS),
  });
}
