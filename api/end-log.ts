/** Ends a log whose run can no longer write its end: readers wait for it. A stream that still runs is silenced by it. */
import { docPage, type ErrorCode } from '../contracts/errors.ts';
import { NO_USAGE } from '../contracts/money.ts';
import type { ApiDependencies } from './dependencies.ts';
import { readView } from './generation-view.ts';

export async function endLog(
  log: ApiDependencies['log'],
  generationId: string,
  { code, message }: { readonly code: ErrorCode; readonly message: string },
): Promise<void> {
  const view = await readView(log, generationId, { withText: false });
  if (view?.status !== 'running') return;
  await log.appendOnce(generationId, 'close', [
    {
      type: 'generation-error',
      error: { code, message, doc: docPage(code) },
      attempts: view.attempts,
      usage: { ...(view.usage ?? NO_USAGE), estimated: true },
      costMicroUsd: view.costMicroUsd ?? 0,
    },
  ]);
}
