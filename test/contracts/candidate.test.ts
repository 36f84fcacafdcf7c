/** `provider/model`, as requests, routes and logs write it. */
import { expect, test } from '@jest/globals';
import { candidateName, isSameCandidate, parseCandidate } from '../../contracts/candidate.ts';

test('a name is parsed into what it was made of, slashes in the model included', () => {
  for (const candidate of [
    { provider: 'openai', model: 'gpt-4o-mini' },
    { provider: 'openrouter', model: 'meta-llama/llama-3-70b' },
  ]) {
    expect(parseCandidate(candidateName(candidate))).toEqual(candidate);
  }
});

test('a name without a provider or without a model is none', () => {
  for (const name of ['', 'gpt-4o', '/gpt-4o', 'openai/']) expect(parseCandidate(name)).toBeNull();
});

test('a candidate is the same only with both its provider and its model', () => {
  const candidate = { provider: 'a', model: 'm' };
  expect(isSameCandidate(candidate, { provider: 'a', model: 'm' })).toBe(true);
  expect(isSameCandidate(candidate, { provider: 'b', model: 'm' })).toBe(false);
  expect(isSameCandidate(candidate, { provider: 'a', model: 'n' })).toBe(false);
});
