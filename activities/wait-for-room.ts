/**
 * The first in the line of a provider: asks the gate until a key has room, and takes it. Everybody else waits in
 * Temporal's queue, in the order of priority and fairness; a worker gives each provider's line one slot.
 */
import { Context } from '@temporalio/activity';
import type { WaitResult, WaitStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent } from './failures.ts';

const LOOK_AGAIN_MS = 400;
const LOOK_AT_ONCE_MS = 10;

export function waitForRoom({ gate }: Pick<Dependencies, 'gate'>) {
  return async ({ generationId, candidate, tokens }: WaitStep): Promise<WaitResult> => {
    const context = Context.current();
    for (;;) {
      const room = await gate.takeRoom({ ...candidate, callId: generationId, tokens, isLast: true });
      if ('keyId' in room) return room;
      if (room.because === 'resting') return { restMs: room.waitMs };
      if (room.because === 'refused') {
        throw permanent('provider_auth', `${candidate.provider} refused every key.`);
      }
      context.heartbeat();
      await context.sleep(Math.min(LOOK_AGAIN_MS, Math.max(LOOK_AT_ONCE_MS, room.waitMs)));
    }
  };
}
