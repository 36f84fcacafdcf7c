/** Cancels the run of a generation. Idempotent: a run that has ended stays as it is. */
import type { ApiDependencies } from '../dependencies.ts';
import { ifRunExists, type RunName } from './if-run-exists.ts';

export async function cancelRun(
  { log, temporal, config }: Pick<ApiDependencies, 'log' | 'temporal' | 'config'>,
  run: RunName,
): Promise<void> {
  // A running stream learns of it from its next append; Temporal ends the generation in every other state.
  await log.requestCancel(run.generationId);
  // A server that is stopped never answers.
  const deadline = Date.now() + config.submit.waitForTemporalMs;
  await ifRunExists(temporal.workflow, run, (handle) =>
    temporal.connection.withDeadline(deadline, () => handle.cancel()),
  );
}
