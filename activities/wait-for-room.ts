/**
 * Waits for room at a provider: asks the gate until a key has room, and takes it. A worker runs one such activity per
 * provider; all other generations wait in Temporal's queue, by priority and fairness.
 */
import { Context } from '@temporalio/activity';
import { candidateName } from '../contracts/candidate.ts';
import type { WaitResult, WaitStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { askedToWait, permanent } from './failures.ts';

const LOOK_AGAIN_MS = 400;
const LOOK_AT_ONCE_MS = 10;

export function waitForRoom({ gate }: Pick<Dependencies, 'gate'>) {
  return async (step: WaitStep): Promise<WaitResult> => {
    const { generationId, candidate, tokens, longestRestMs, promptCacheKey: affinity } = step;
    const context = Context.current();
    const call = { ...candidate, generationId, callId: generationId, tokens, affinity };
    for (;;) {
      const room = await gate.takeRoom(call);
      if ('keyId' in room) return room;
      if (room.because === 'resting') {
        if (room.waitMs <= (longestRestMs ?? Number.POSITIVE_INFINITY)) return { restMs: room.waitMs };
        throw askedToWait(candidateName(candidate), room.waitMs);
      }
      if (room.because === 'refused') {
        throw permanent('provider_auth', `${candidate.provider} refused every key.`);
      }
      context.heartbeat();
      await context.sleep(Math.min(LOOK_AGAIN_MS, Math.max(LOOK_AT_ONCE_MS, room.waitMs)));
    }
  };
}
