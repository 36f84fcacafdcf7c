import { expect, test } from '@jest/globals';
import { patienceWith } from '../../activities/follow-leader.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Provider } from '../../engine/providers/provider.ts';
import { adapterFor, simulatedConfig } from '../engine/providers/adapter-for.ts';

const input = { messages: [{ role: 'user' as const, content: 'Why?' }], maxOutputTokens: 100 };
const called = { provider: 'p', model: 'sim-large' };

/** The patience with a leader that has called a provider with these limits. */
function patienceFor(limits: object, effort?: 'high'): number {
  const provider = adapterFor('openai-chat', {
    ...simulatedConfig('openai-chat', 'http://127.0.0.1:1'),
    ...limits,
  });
  const question = effort === undefined ? input : { ...input, reasoning: { effort } };
  return patienceWith(
    { providers: new Map<string, Provider>([['p', provider]]) },
    { input: question },
    called,
  );
}

test('a follower waits for as long as the leader waits for its provider, and for its report', () => {
  const limits = { firstTokenMs: 1_000, betweenTokensMs: 25_000, thinkingMs: 60_000 };
  expect(patienceFor(limits)).toBe(25_000 + LIMITS.leaderReportMs);
  expect(patienceFor({ ...limits, firstTokenMs: 300_000 })).toBe(300_000 + LIMITS.leaderReportMs);
  expect(patienceFor(limits, 'high')).toBe(60_000 + LIMITS.leaderReportMs);
});

test('with a leader that has called none, or answers fast, it waits the usual time', () => {
  expect(patienceWith({ providers: new Map() }, { input }, null)).toBe(LIMITS.leaderSilenceMs);
  expect(patienceFor({ firstTokenMs: 1_000, betweenTokensMs: 2_000 })).toBe(LIMITS.leaderSilenceMs);
});
