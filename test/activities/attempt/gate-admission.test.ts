import { expect, test } from '@jest/globals';
import { admitAttempt } from '../../../activities/attempt/gate-admission.ts';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { StreamStep } from '../../../contracts/steps.ts';
import { brokenCall, malformed } from '../../../engine/providers/answer-state.ts';
import type { CallResult } from '../../../engine/routing/provider-gate.ts';

async function resultOf(end: UnbrokenError): Promise<CallResult | undefined> {
  const results: CallResult[] = [];
  const pass = {
    key: { id: 'k', secret: undefined },
    noteHead: () => undefined,
    noteFirstToken: () => undefined,
    leave: async (result: CallResult) => {
      results.push(result);
      return { circuit: null, restMs: 0 };
    },
  };
  const attempt = admitAttempt({ note: () => undefined } as unknown as Dependencies, {
    step: { candidate: { provider: 'p', model: 'm' } } as StreamStep,
    admission: { admitted: true, pass },
    resume: { strategy: 'start' },
    checkpoint: null,
  });
  await attempt.leave(end, NO_USAGE);
  return results[0];
}

// https://github.com/lidge-jun/opencodex/issues/433, https://github.com/router-for-me/CLIProxyAPI/pull/5764
test.each([
  [20_000, 20_000],
  [6 * 86_400_000, 3_600_000],
])('a key rests as long as the vendor asks, %i ms, but at most an hour', async (askedMs, restMs) => {
  const end = new UnbrokenError('provider_rate_limited', 'Slow down.', { retryAfterMs: askedMs });
  expect((await resultOf(end))?.key?.restMs).toBe(restMs);
});

test('a tool call that the model has broken says nothing of the provider, whose circuit stays as it is', async () => {
  expect((await resultOf(brokenCall()))?.verdict).toBeNull();
  expect((await resultOf(malformed('a delta without text')))?.verdict).toBe('failed');
});
