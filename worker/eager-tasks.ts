/**
 * The tokens of workflow tasks that Temporal gives in reply to a start. The SDK keeps them to itself; but if this
 * worker dies in the first task of a run, another process must fail that task, or its timeout passes first.
 */
import type { ConnectionLike } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { replaceTemporalCall } from '../platform/replace-temporal-call.ts';

/** Of starts whose caller has not asked yet. */
const KEPT = 1_000;

export class EagerTasks {
  /** Base64, by run. */
  readonly #tokens = new Map<string, string>();

  /** @returns the connection for a client whose starts are to be watched. */
  watch(connection: NativeConnection): ConnectionLike {
    return replaceTemporalCall(connection, 'startWorkflowExecution', async (request, send) => {
      const reply = await send(request);
      const token = reply.eagerWorkflowTask?.taskToken;
      if (token != null && token.length > 0 && this.#tokens.size < KEPT) {
        this.#tokens.set(reply.runId, Buffer.from(token).toString('base64'));
      }
      return reply;
    });
  }

  /** @returns the token of the run's first task; undefined if Temporal did not give it, or it was taken already. */
  take(runId: string): string | undefined {
    const token = this.#tokens.get(runId);
    this.#tokens.delete(runId);
    return token;
  }
}
