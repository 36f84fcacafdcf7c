import { expect, test } from '@jest/globals';
import { headerText, unbrokenComment } from '../../../api/wires/unbroken-headers.ts';

const facts = { generationId: 'gen_1', cached: false, attempts: 1, end: null, startedAtMs: 0 };

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
