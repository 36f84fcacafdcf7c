/** What a cut connection does to the generation that was begun on it: nothing, or a cancel when nobody comes back. */
import type { Request, Response } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cancelRun } from '../generations/cancel-run.ts';

/** The header `x-unbroken-on-abort` counts before the config. */
export function abortPolicyOf(
  { config }: Pick<ApiDependencies, 'config'>,
  request: Pick<Request, 'get'>,
): 'continue' | 'cancel' {
  const asked = request.get('x-unbroken-on-abort');
  if (asked === undefined) return config.wires.onClientAbort;
  if (asked === 'continue' || asked === 'cancel') return asked;
  throw new UnbrokenError('invalid_request', 'x-unbroken-on-abort: expected continue or cancel.');
}

/**
 * Cancels when the client leaves before the response has ended and nobody follows the generation, at any API process,
 * after the grace. A process that ends in the meantime cancels nothing: going on is the safe side.
 */
export function cancelOnAbort(
  { config, log, temporal, logger }: ApiDependencies,
  response: Response,
  run: { readonly tenant: string; readonly generationId: string },
): void {
  const cancelUnlessFollowed = async () => {
    const head = await log.head(run.generationId);
    if (head?.status !== 'running' || (await log.followers(run.generationId)) > 0) return;
    await cancelRun({ config, log, temporal }, run);
  };
  response.once('close', () => {
    if (response.writableFinished) return;
    setTimeout(() => {
      cancelUnlessFollowed().catch((error: unknown) => logger.error({ err: error }, 'cancel after abort'));
    }, config.wires.clientAbortGraceMs).unref();
  });
}
