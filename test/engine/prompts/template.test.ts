import { describe, expect, test } from '@jest/globals';
import { fillTemplate, parseTemplate } from '../../../contracts/prompt-template.ts';
import type { PromptContent } from '../../../contracts/prompts.ts';
import { promptContentSchema } from '../../../contracts/prompts.ts';
import { checkContent, renderPrompt } from '../../../engine/prompts/render-prompt.ts';
import { createRandom } from '../../harness/random.ts';

const fill = (source: string, values: Record<string, string>) =>
  fillTemplate(parseTemplate(source), new Map(Object.entries(values)));
const contentOf = (content: object): PromptContent => promptContentSchema.parse(content);

describe('a template', () => {
  test.each([
    ['{{name}}', 'Ann'],
    ['Hello {{ name }}!', 'Hello Ann!'],
    ['{"user": {"name": "{{name}}"}}', '{"user": {"name": "Ann"}}'],
    ['{{name}}{{name}}', 'AnnAnn'],
    ['no braces', 'no braces'],
    ['a }} b { c } d', 'a }} b { c } d'],
    [String.raw`\{{name}}`, '{{name}}'],
    [String.raw`\\{{name}}`, String.raw`\Ann`],
    [String.raw`\\\{{name}}`, String.raw`\{{name}}`],
    [String.raw`C:\dir\{{name}} and \ alone`, String.raw`C:\dir{{name}} and \ alone`],
    [String.raw`\{{ {{name}} }}`, '{{ Ann }}'],
  ])('%s becomes %s', (source, expected) => {
    expect(fill(source, { name: 'Ann' })).toBe(expected);
  });

  test.each([
    ['{{name', 'line 1: "{{name" has no }}'],
    ['a\nb {{#if x}}', 'line 2: "{{#if x}}" is no {{name}}'],
    ['{{}}', 'is no {{name}}'],
    ['{{1st}}', 'is no {{name}}'],
    ['{{{name}}}', 'has no }}'],
  ])('%s is refused, with its place', (source, message) => {
    expect(() => parseTemplate(source)).toThrow(message);
  });

  test('a value cannot bring in another variable, nor undo an escape', () => {
    const values = { first: '{{second}} \\', second: 'secret' };
    expect(fill('{{first}}{{first}}', values)).toBe('{{second}} \\{{second}} \\');
  });

  test('any text without a placeholder stays unchanged', () => {
    const random = createRandom(7);
    const alphabet = ['a', '{', '}', '\\', ' ', '\n', '}}', 'é', '🚀'];
    for (let round = 0; round < 500; round += 1) {
      const length = random.between(0, 30);
      const text = Array.from({ length }, () => alphabet[random.between(0, alphabet.length - 1)]).join('');
      const plain = text.replaceAll('{{', '{ {').replaceAll('{{', '');
      expect(fill(plain, {})).toBe(plain);
    }
  });

  test('a long run of backslashes is read in one pass', () => {
    const text = '\\'.repeat(200_000);
    expect(fill(text, {})).toBe(text);
  });
});

describe('a prompt', () => {
  const content = contentOf({
    system: 'Answer {{name}} in {{language}}.',
    messages: [{ role: 'user', content: 'I am {{name}}.' }],
    variables: { name: { maxChars: 10 }, language: { default: 'English' } },
  });
  const render = (variables: Record<string, string | number | boolean>) =>
    renderPrompt(content, { name: 'greeting', variables });

  test('is filled, with defaults for missing values', () => {
    expect(render({ name: 'Ann' })).toEqual({
      system: 'Answer Ann in English.',
      messages: [{ role: 'user', content: 'I am Ann.' }],
    });
    expect(render({ name: 7, language: false }).system).toBe('Answer 7 in false.');
  });

  test.each([
    ['missing', {}, '"name" is missing'],
    ['unknown', { name: 'Ann', nmae: 'x' }, '"nmae" is unknown'],
    ['too long', { name: 'Annabelle Lee' }, '"name" has 13 characters of at most 10'],
    ['of the prototype', { name: 'Ann', constructor: 'x' }, '"constructor" is unknown'],
  ])('says which variable is %s', (_, variables, message) => {
    expect(() => render(variables)).toThrow(message);
    expect(() => render(variables)).toThrow('It declares: name, language.');
  });

  test.each([
    ['a placeholder that is not declared', { system: '{{x}}' }, '{{x}} is not declared'],
    ['a variable that is not used', { system: 'x', variables: { y: {} } }, 'variables.y is not used'],
    [
      'a default that is too long',
      { system: '{{y}}', variables: { y: { maxChars: 2, default: 'abc' } } },
      'the default is longer than maxChars',
    ],
    [
      'a text of each template that is long in sum',
      { messages: Array.from({ length: 6 }, () => ({ role: 'user', content: 'x'.repeat(200_000) })) },
      'The prompt has 1200000 characters of at most',
    ],
    [
      'more places than each request can read again',
      {
        messages: Array.from({ length: 4 }, () => ({ role: 'user', content: '{{x}}'.repeat(20_000) })),
        variables: { x: {} },
      },
      'The prompt has 80000 places of variables of at most 60000',
    ],
    ['a broken template', { messages: [{ role: 'user', content: 'a {{' }] }, 'messages.0.content: line 1'],
  ])('with %s is refused when it is made', (_, broken, message) => {
    expect(() => checkContent(contentOf(broken))).toThrow(message);
  });
});

describe('a prompt that would be filled with more than a request may hold', () => {
  const content = (templates: object) => contentOf({ ...templates, variables: { x: { maxChars: 20_000 } } });
  const fill = (templates: object, x: string) =>
    renderPrompt(content(templates), { name: 'big', variables: { x } });
  const many = '{{x}}'.repeat(20_000);

  test.each([
    ['in its system', { system: many }],
    ['in a message', { messages: [{ role: 'user', content: many }] }],
    [
      'in all of them together',
      { system: '{{x}}'.repeat(300), messages: [{ role: 'user', content: '{{x}}'.repeat(300) }] },
    ],
  ])('is refused before anything is filled: %s', (_where, templates) => {
    expect(() => fill(templates, 'y'.repeat(20_000))).toThrow(/has \d+ bytes of at most 8388608/);
    try {
      fill(templates, 'y'.repeat(20_000));
    } catch (error) {
      expect(error).toMatchObject({ code: 'prompt_variables_invalid' });
    }
    expect(fill(templates, 'y')).toBeDefined();
  });

  test('is measured in bytes, as a body is', () => {
    const templates = { system: '{{x}}'.repeat(200) };
    expect(fill(templates, 'y'.repeat(20_000)).system).toHaveLength(4_000_000);
    expect(() => fill(templates, '東'.repeat(20_000))).toThrow(/bytes/);
  });
});
