import { describe, expect, test } from '@jest/globals';
import { array, assert as check, constantFrom, oneof, property, string } from 'fast-check';
import { MarkdownRenderer, withoutControls } from '../../bin/commands/render-markdown.ts';

/** Styles as letters in angle brackets, so that an expectation can be read. */
const NAMES: Readonly<Record<string, string>> = {
  1: '<b>',
  22: '</>',
  2: '<dim>',
  3: '<i>',
  23: '</i>',
  4: '<u>',
  24: '</u>',
  9: '<s>',
  29: '</s>',
  36: '<code>',
  39: '</code>',
};
const ESCAPE = '\u001b';
const readable = (text: string) =>
  text.split(`${ESCAPE}[`).reduce((shown, part) => {
    const [, number = '', rest = ''] = /^(\d+)m([\s\S]*)$/.exec(part) ?? [];
    return `${shown}${NAMES[number]}${rest}`;
  });

function render(deltas: readonly string[]): string {
  const renderer = new MarkdownRenderer();
  return deltas.map((delta) => renderer.write(delta)).join('') + renderer.end();
}

describe('Markdown is rendered', () => {
  test.each([
    ['# Title\ntext', '<u>Title</u>\ntext'],
    ['## Part **one**\n', '<b>Part <b>one</></>\n'],
    [
      'a **bold** and *italic* and _this_ and ~~gone~~',
      'a <b>bold</> and <i>italic</i> and <i>this</i> and <s>gone</s>',
    ],
    ['`a * b` is code', '<code>a * b</code> is code'],
    ['**bold with `code`**', '<b>bold with <code>code</code></>'],
    ['- one\n  * two\n1. three', '• one\n  • two\n1. three'],
    ['> quoted', '│ <dim>quoted</>'],
    ['---\n', `<dim>${'─'.repeat(40)}</>\n`],
    ['[docs](https://a.example) and [x](x)', '<u>docs</u> (<dim>https://a.example</>) and <u>x</u>'],
    [
      '```ts\nconst a = b ** 2;\n# no title\n```\nend',
      '<dim>```ts</>\n<code>const a = b ** 2;</code>\n<code># no title</code>\n<dim>```</>\nend',
    ],
    ['| a | b |\n|---|:-:|\n| long | 東京 |\n| x | y |\nend', '<b>a     b</>\nlong  東京\nx     y\nend'],
    ['\\*not italic\\*', '*not italic*'],
  ])('%j', (source, expected) => {
    expect(readable(render([source]))).toBe(expected);
  });

  test.each([
    '2 * 3 * 4',
    'snake_case_name and a_b',
    'an open **bold',
    'an open `tick',
    'a [bracket] alone',
    '-5 degrees',
    '3.14 is pi',
    '#hashtag',
  ])('what is no Markdown stays as it is: %j', (source) => {
    expect(render([source])).toBe(source);
  });
});

describe('while it streams in', () => {
  test('words come at once, and an open span waits for its end', () => {
    const renderer = new MarkdownRenderer();
    expect(renderer.write('Hello ')).toBe('Hello ');
    expect(renderer.write('a **bo')).toBe('a ');
    expect(readable(renderer.write('ld** word'))).toBe('<b>bold</> word');
    expect(renderer.end()).toBe('');
  });

  test('the cut into deltas changes nothing but the moment', () => {
    const part = oneof(
      constantFrom(
        '**',
        '*',
        '_',
        '`',
        '```\n',
        '\n',
        '# ',
        '- ',
        '> ',
        '| ',
        ' |',
        '[a](b)',
        '1. ',
        ' ',
        '~~',
        '\\',
      ),
      string({ maxLength: 4 }),
    );
    check(
      property(array(part, { maxLength: 30 }), (parts) => {
        const strip = (text: string) =>
          text
            .split(ESCAPE)
            .map((part) => part.replace(/^\[\d+m/, ''))
            .join('');
        const whole = strip(render([parts.join('')]));
        expect(strip(render([...parts.join('')]))).toBe(whole);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a model cannot move the cursor, change the title or reverse the text', () => {
  const hostile = `a${ESCAPE}[2Jb${ESCAPE}]0;title\u0007c\u009b31md\u202ee\rf\n`;
  expect(withoutControls(hostile)).toBe('a[2Jb]0;titlec31mdef\n');
  expect(render([hostile])).toBe('a[2Jb]0;titlec31mdef\n');
});
