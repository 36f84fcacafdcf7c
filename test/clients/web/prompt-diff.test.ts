import { expect, test } from '@jest/globals';
import type { Span } from '../../../clients/web/src/views/diff/line-diff.ts';
import { diffPrompts } from '../../../clients/web/src/views/prompts/prompt-diff.ts';
import { promptContentSchema } from '../../../contracts/prompts.ts';

const contentOf = (content: object) => promptContentSchema.parse(content);
/** The changed words in brackets. */
const marked = (spans: readonly Span[] | null) =>
  spans === null ? null : spans.map(({ text, isChanged }) => (isChanged ? `[${text}]` : text)).join('');

test('a changed line shows its changed words, an added line stands beside nothing', () => {
  const sections = diffPrompts(
    contentOf({ system: 'You help.\nBe friendly and brief.' }),
    contentOf({ system: 'You help.\nBe brief.\nNever lie.' }),
  );
  expect(sections.map(({ title }) => title)).toEqual(['System']);
  expect(sections[0]?.lines.map(({ left, right }) => [marked(left), marked(right)])).toEqual([
    ['You help.', 'You help.'],
    ['Be [friendly and ]brief.', 'Be brief.'],
    [null, '[Never lie.]'],
  ]);
});

test('sections keep the order of a prompt, whichever version has them', () => {
  const sections = diffPrompts(
    contentOf({ system: 'a {{x}}', variables: { x: {} }, note: 'first' }),
    contentOf({ system: 'a', messages: [{ role: 'user', content: 'b' }], maxOutputTokens: 5 }),
  );
  expect(sections.map(({ title }) => title)).toEqual(['System', 'Message 1', 'Variables', 'Settings']);
  expect(sections.every(({ lines }) => lines.some(({ isChanged }) => isChanged))).toBe(true);
});

test('the same content has no changed line', () => {
  const content = contentOf({ system: 'a\nb\n', messages: [{ role: 'user', content: 'c' }] });
  const lines = diffPrompts(content, content).flatMap((section) => section.lines);
  expect(lines.map(({ isChanged }) => isChanged)).not.toContain(true);
});
