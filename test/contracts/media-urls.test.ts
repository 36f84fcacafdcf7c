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

test('an address stays as it is, and what is none is refused in plain words', () => {
  expect(urlOf('image', 'https://example.com/A.PNG')).toBe('https://example.com/A.PNG');
  expect(urlOf('image', 'iVBORw0KGgo=')).toContain('expected an https URL, or a data URL');
  expect(urlOf('file', 'JVBERi0=')).toContain('expected an https URL, or a data URL');
});
