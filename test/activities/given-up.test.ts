import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { LIMITS } from '../../contracts/limits.ts';
import { type AttemptStand, startAttemptStand } from './attempt/attempt-stand.ts';

let stand: AttemptStand;
beforeAll(async () => {
  stand = await startAttemptStand(['openai-chat']);
});
afterAll(() => stand?.stop());
beforeEach(() => stand.sim.forget());

const messages = [{ role: 'user', content: 'Go. [[sim tokens=10]]' }] as const;

test.each([
  { status: 500, code: 'provider_unavailable', calls: LIMITS.providerErrorsPerCandidate },
  { status: 400, code: 'provider_bad_request', calls: 1 },
])(
  'a step whose report of giving up after $status was lost asks the model no more when it is repeated',
  async ({ status, code, calls }) => {
    await stand.sim.clearFaults();
    await stand.sim.fault({ kind: 'status', status, times: 10 });
    const step = await stand.begin('openai-chat', { messages });
    await expect(stand.untilOutcome(step)).rejects.toMatchObject({ type: code, nonRetryable: true });
    const events = await stand.events(step);
    expect(events.filter(({ type }) => type === 'provider-start')).toHaveLength(calls);
    const repeated = stand.attempt(step).outcome;
    await expect(repeated).rejects.toMatchObject({ type: code, nonRetryable: true });
    expect(await stand.events(step)).toEqual(events);
  },
);
