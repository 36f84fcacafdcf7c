import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type AttemptStand, startAttemptStand } from './attempt-stand.ts';

let stand: AttemptStand;
beforeAll(async () => {
  stand = await startAttemptStand(['openai-chat', 'openai-responses']);
});
afterAll(() => stand?.stop());
beforeEach(() => stand.sim.forget());

const messages = [
  { role: 'user', content: 'It kills who reads it. [[sim tokens=400 delay_ms=20]]' },
] as const;

test('an input whose answer ends every worker that reads it is paid a limited number of times', async () => {
  const step = await stand.begin('openai-chat', { messages });
  const last = async () => {
    for (let attempt = 1; attempt <= LIMITS.uncountedAttempts; attempt += 1) {
      stand.attempt(step);
      await waitFor('the call', async () => (await stand.sim.calls()).length === attempt);
    }
    return stand.attempt(step).outcome;
  };
  await expect(last()).rejects.toMatchObject({ type: 'attempt_interrupted', nonRetryable: true });
  expect(await stand.sim.calls()).toHaveLength(LIMITS.uncountedAttempts);
  // The next candidate of the chain would be killed by it, too.
  await expect(stand.attempt(step).outcome).rejects.toMatchObject({ type: 'attempt_interrupted' });
  expect(await stand.sim.calls()).toHaveLength(LIMITS.uncountedAttempts);
});

test('a response that is only read on is no attempt more, however often its reader ends', async () => {
  const step = await stand.begin('openai-responses', {
    // It must outlast all its readers, on a busy machine too.
    messages: [{ role: 'user', content: 'Go. [[sim tokens=400 delay_ms=20]]' }],
  });
  for (let reader = 0; reader <= LIMITS.uncountedAttempts; reader += 1) {
    stand.attempt(step);
    await waitFor(
      'the reading',
      async () => (await stand.events(step)).filter(({ type }) => type === 'provider-start').length > reader,
    );
    await waitFor(
      'its place',
      async () => (await stand.dependencies.log.head(step.order.generationId))?.checkpoint !== null,
    );
  }
  expect(await stand.untilOutcome(step)).toMatchObject({ status: 'completed' });
  expect(await stand.sim.calls()).toHaveLength(1);
});
