/** The addresses of pictures and files in a request. */
import { expect, test } from '@jest/globals';
import { generationRequestSchema } from '../../contracts/generation.ts';

const urlOf = (type: 'image' | 'file', url: string) => {
  const parsed = generationRequestSchema.safeParse({ input: [{ role: 'user', content: [{ type, url }] }] });
  if (!parsed.success) return parsed.error.issues.map(({ message }) => message).join();
  return Object(parsed.data.input)[0].content[0].url;
};
const PLAIN = 'data:image/png;base64,iVBORw0KGgo=';

test.each([
  ['in capitals', 'data:image/PNG;base64,iVBORw0KGgo='],
  ['with a character set', 'data:image/png;charset=utf-8;base64,iVBORw0KGgo='],
  ['with both', 'DATA:Image/Png;charset=utf-8;BASE64,iVBORw0KGgo='],
  ['as it is', PLAIN],
])('a data URL whose type is %s has the form that vendors take', (_how, url) => {
  expect(urlOf('image', url)).toBe(PLAIN);
});

// https://github.com/openclaw/openclaw/pull/96437, https://github.com/anthropics/anthropic-sdk-typescript/issues/603
test.each([
  ['in lines', 'data:image/png;base64,iVBORw0K\nGgo=\n'],
  ['without padding', 'data:image/png;base64,iVBORw0KGgo'],
  ['with too much padding', 'data:image/png;base64,iVBORw0KGgo=='],
])('base64 %s has the form that vendors take', (_how, url) => {
  expect(urlOf('image', url)).toBe(PLAIN);
});

test('base64 for URLs is that of vendors, and what is none stays as it is', () => {
  expect(urlOf('image', 'data:image/jpeg;base64,_9j_-A')).toBe('data:image/jpeg;base64,/9j/+A==');
  expect(urlOf('image', 'data:image/png;base64,iVBOR')).toBe('data:image/png;base64,iVBOR');
});

// https://github.com/langchain-ai/langchainjs/pull/11143, https://github.com/langchain-ai/deepagentsjs/issues/630
test.each([
  ['application/pdf', 'JVBERi0xLjcK'],
  ['image/png', 'iVBORw0KGgo='],
  ['image/jpeg', '/9j/4AAQ'],
  ['image/webp', 'UklGRkacAABXRUJQVlA4'],
  ['application/octet-stream', 'UEsDBAoA'],
])('a file whose type says nothing is of the type %s by its first bytes', (type, data) => {
  expect(urlOf('file', `data:application/octet-stream;base64,${data}`)).toBe(`data:${type};base64,${data}`);
});

test('an address stays as it is, and what is none is refused in plain words', () => {
  expect(urlOf('image', 'https://example.com/A.PNG')).toBe('https://example.com/A.PNG');
  expect(urlOf('image', 'iVBORw0KGgo=')).toContain('expected an https URL, or a data URL');
  expect(urlOf('file', 'JVBERi0=')).toContain('expected an https URL, or a data URL');
});
