/** `provider/model`, as requests, routes and logs write it. */
import { expect, test } from '@jest/globals';
import { candidateName, isSameCandidate, parseCandidate } from '../../contracts/candidate.ts';
import { modelNameSchema } from '../../contracts/generation.ts';

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

test.each([
  'azure/../fine_tuning/jobs/1/cancel',
  'google/a/../../b',
  'google/a/%2E%2e/b',
  'google/..%2fb',
  'google/.',
  'a/b?c',
  'a/b#c',
  'a/b\\c',
])('%s would change the address of a call, and names no model', (name) => {
  expect(modelNameSchema.safeParse(name).success).toBe(false);
});

test.each([
  'openai/gpt-4.1-mini',
  'openrouter/meta-llama/llama-3:free',
  'cloudflare/@cf/meta/llama-3.1-8b-instruct',
  'bedrock/arn:aws:bedrock:us-east-1:123:inference-profile/us.anthropic.claude',
  'bedrock/arn%3Aaws%3Abedrock',
  'local/model..q4',
])('%s names a model', (name) => {
  expect(modelNameSchema.parse(name)).toBe(name);
});
