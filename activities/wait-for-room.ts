/**
 * The first in the line of a provider: asks the gate until a key has room, and takes it. Everybody else waits in
 * Temporal's queue, in the order of priority and fairness; a worker gives each provider's line one slot.
 */
import { Context } from '@temporalio/activity';
import type { WaitResult, WaitStep } from '../contracts/steps.ts';
import { askedToWait } from './attempt/gate-admission.ts';
import type { Dependencies } from './dependencies.ts';
import { permanent } from './failures.ts';

const LOOK_AGAIN_MS = 400;
const LOOK_AT_ONCE_MS = 10;

export function waitForRoom({ gate }: Pick<Dependencies, 'gate'>) {
  return async ({ generationId, candidate, tokens, longestRestMs }: WaitStep): Promise<WaitResult> => {
    const context = Context.current();
    for (;;) {
      const room = await gate.takeRoom({ ...candidate, generationId, callId: generationId, tokens });
      if ('keyId' in room) return room;
      if (room.because === 'resting') {
        if (room.waitMs <= (longestRestMs ?? Number.POSITIVE_INFINITY)) return { restMs: room.waitMs };
        throw askedToWait(`${candidate.provider}/${candidate.model}`, room.waitMs);
      }
      if (room.because === 'refused') {
        throw permanent('provider_auth', `${candidate.provider} refused every key.`);
      }
      context.heartbeat();
      await context.sleep(Math.min(LOOK_AGAIN_MS, Math.max(LOOK_AT_ONCE_MS, room.waitMs)));
    }
  };
}
