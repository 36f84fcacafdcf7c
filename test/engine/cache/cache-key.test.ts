import { describe, expect, test } from '@jest/globals';
import type { CacheQuestion } from '../../../engine/cache/answer-cache.ts';
import { cacheKey, partitionOf, pointId } from '../../../engine/cache/cache-key.ts';

const question: CacheQuestion = {
  tenant: 'acme',
  onlyUser: null,
  candidates: [
    { provider: 'openai', model: 'gpt-4o-mini' },
    { provider: 'anthropic', model: 'claude-haiku' },
  ],
  input: {
    system: 'Be short.',
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Why is the sky blue?' },
    ],
    maxOutputTokens: 100,
    temperature: 0,
  },
};
const { input } = question;
const { temperature: _temperature, ...withoutTemperature } = input;
const { system: _system, ...withoutSystem } = input;

describe('cacheKey', () => {
  test('the same question has the same key, in any order of its fields', () => {
    const { messages, ...rest } = input;
    const turned = messages.map(({ role, content }) => ({ content, role }));
    const { candidates } = question;
    const again = { input: { messages: turned, ...rest }, candidates, onlyUser: null, tenant: 'acme' };
    expect(cacheKey(again)).toBe(cacheKey(question));
  });

  test.each<[string, CacheQuestion]>([
    ['tenant', { ...question, tenant: 'other' }],
    ['user, where users do not share', { ...question, onlyUser: 'ann' }],
    ['list of models', { ...question, candidates: question.candidates.slice(0, 1) }],
    ['border of provider and model', { ...question, candidates: [{ provider: 'openai/gpt', model: '4o' }] }],
    ['system prompt', { ...question, input: { ...input, system: 'Be long.' } }],
    ['absence of a system prompt', { ...question, input: withoutSystem }],
    ['message', { ...question, input: { ...input, messages: input.messages.slice(2) } }],
    [
      'role',
      {
        ...question,
        input: { ...input, messages: input.messages.map((message) => ({ ...message, role: 'user' })) },
      },
    ],
    ['temperature', { ...question, input: { ...input, temperature: 0.1 } }],
    ['absence of a temperature', { ...question, input: withoutTemperature }],
  ])('another %s is another question', (_name, other) => {
    expect(cacheKey(other)).not.toBe(cacheKey(question));
  });

  test('the order of the models and the output cap are not part of it', () => {
    expect(cacheKey({ ...question, candidates: question.candidates.toReversed() })).toBe(cacheKey(question));
    expect(cacheKey({ ...question, input: { ...input, maxOutputTokens: 101 } })).toBe(cacheKey(question));
  });

  test('questions that differ in the words of the user alone share a partition', () => {
    const others = [...input.messages.slice(0, 2), { role: 'user', content: 'And the sea?' } as const];
    const other = { ...question, input: { ...input, messages: others } };
    expect(partitionOf(other)).toBe(partitionOf(question));
    expect(cacheKey(other)).not.toBe(cacheKey(question));
    const messages = input.messages.map((message) =>
      message.role === 'assistant' ? { ...message, content: 'Ho' } : message,
    );
    expect(partitionOf({ ...question, input: { ...input, messages: messages } })).not.toBe(
      partitionOf(question),
    );
    expect(partitionOf({ ...question, tenant: 'other' })).not.toBe(partitionOf(question));
  });

  test('no shift of text between provider and model makes two questions one', () => {
    const left = { ...question, candidates: [{ provider: 'a', model: 'b/c' }] };
    const right = { ...question, candidates: [{ provider: 'a/b', model: 'c' }] };
    expect(cacheKey(left)).not.toBe(cacheKey(right));
  });
});

describe('pointId', () => {
  test('a key names one UUID of version 8', () => {
    const id = pointId(cacheKey(question));
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(pointId(cacheKey({ ...question, tenant: 'other' }))).not.toBe(id);
  });
});
