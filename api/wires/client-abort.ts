/** What a dropped connection does to its generation: nothing, or a cancel when no client reconnects. */
import type { Request, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cancelRun } from '../generations/cancel-run.ts';

/** The header `x-unbroken-on-abort` overrides the config. @throws invalid_request */
export function abortPolicyOf(
  { config }: Pick<ApiDependencies, 'config'>,
  request: Pick<Request, 'get'>,
): 'continue' | 'cancel' {
  const policy = request.get('x-unbroken-on-abort');
  if (policy === undefined) return config.wires.onClientAbort;
  if (policy === 'continue' || policy === 'cancel') return policy;
  throw new UnbrokenError('invalid_request', 'x-unbroken-on-abort: expected continue or cancel.');
}

/**
 * Cancels the generations when their client disconnects before the response has ended. One that a viewer of any API
 * process follows after the grace period continues. A process that stops in between cancels nothing: an unread answer
 * is safer than a lost one.
 */
export function cancelOnAbort(
  { config, log, temporal, logger }: ApiDependencies,
  response: Response,
  ...runs: readonly { readonly tenant: string; readonly generationId: string }[]
): void {
  const cancelUnlessFollowed = async (run: (typeof runs)[number]) => {
    const head = await log.head(run.generationId);
    if (head?.status !== 'running' || (await log.followers(run.generationId)) > 0) return;
    await cancelRun({ config, log, temporal }, run);
  };
  response.once('close', () => {
    if (response.writableFinished) return;
    setTimeout(() => {
      for (const run of runs) {
        cancelUnlessFollowed(run).catch((error: unknown) =>
          logger.error({ err: error }, 'cancel after abort'),
        );
      }
    }, config.wires.clientAbortGraceMs).unref();
  });
}
