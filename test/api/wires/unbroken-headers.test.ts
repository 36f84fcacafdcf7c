import { expect, test } from '@jest/globals';
import { FactsFold } from '../../../api/wires/answer.ts';
import { headerText, unbrokenComment } from '../../../api/wires/unbroken-headers.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';

const facts = { generationId: 'gen_1', cache: null, attempts: 1, end: null, startedAtMs: 0 };

test.each(['größe', '東京', 'a\nb', 'a\r\nset-cookie: x=1', 'a\u0000', '\ud800', '😀'])(
  'a model named %j fits a header, and a comment of one line',
  (name) => {
    const text = headerText(`p/${name}`);
    expect(() => new Headers({ 'x-unbroken-model': text })).not.toThrow();
    expect(text).toMatch(/^p\/[\x20-\x7e]+$/);
    const comment = unbrokenComment({ ...facts, model: `p/${name}` });
    expect(comment.trimEnd().split(/[\r\n]/)).toHaveLength(1);
  },
);

test('a name in ASCII is as it is', () => {
  expect(headerText('openai/gpt-4o_mini:x@y')).toBe('openai/gpt-4o_mini:x@y');
});

const hit = {
  type: 'cache-hit',
  provider: 'p',
  model: 'm',
  similarity: 0.97,
  matchedBy: 'model',
  ageMs: 5,
} as const;
const join = { type: 'cache-join', leader: 'gen_2', similarity: 1, matchedBy: 'same-words' } as const;
const skip = { type: 'cache-skip', reason: 'Qdrant did not answer' } as const;
const call = { type: 'provider-start', provider: 'p', model: 'm', attempt: 1 } as const;

test.each<[string, readonly object[], string]>([
  ['a miss', [call], 'cache=miss'],
  [
    'a hit',
    [{ ...hit, entryId: 'e' }],
    'cache=hit cache-similarity=0.9700 cache-matched-by=model cache-age-ms=5 cache-entry=e',
  ],
  ['a joined call', [join], 'cache=join cache-similarity=1.0000 cache-matched-by=same-words'],
  ['a joined call that was left', [join, call], 'cache=miss'],
  ['a cache that did not answer', [skip, call], 'cache=skip'],
])('an answer says what the cache did: %s', (_, events, expected) => {
  const fold = new FactsFold();
  for (const event of events) fold.push(event as EventBody as GenerationEvent);
  expect(unbrokenComment(fold.value())).toContain(` ${expected}`);
});
