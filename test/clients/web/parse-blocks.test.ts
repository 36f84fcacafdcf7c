import { describe, expect, test } from '@jest/globals';
import {
  NOTHING,
  type Parsed,
  parseBlocks,
  parseWhole,
} from '../../../clients/web/src/views/markdown/parse-blocks.ts';
import { XSS_PAYLOADS } from '../../harness/xss-payloads.ts';

const TEXT = [
  '# Title\n\nA paragraph with **bold**, `code` and a [link](https://example.com).\nIts second line.',
  '\n\n- one\n- two\n  - nested\n\n  still two\n\n1. first\n2. second\n\n',
  '```ts\nconst a = 1;\n\n# no heading\n```\n\n> quote\n> more\n\nSetext\n---\n\n',
  '| a | b |\n|---|--:|\n| 1 | 2 |\n\n    indented code\n\nlast 😀 paragraph',
].join('');

/** Without the positions, which count from where a parse began. */
function shapeOf({ blocks }: Parsed): string {
  const nodes = blocks.flatMap(({ tree }) => (tree.type === 'root' ? tree.children : [tree]));
  const elements = nodes.filter((node) => node.type !== 'text' || node.value.trim() !== '');
  return JSON.stringify(elements, (name, value) => (name === 'position' ? undefined : value));
}

describe('Markdown that arrives in pieces', () => {
  test.each([1, 3, 17, 64])('is the same as the whole, after every %i characters', (chars) => {
    let parsed = NOTHING;
    for (let end = chars; end < TEXT.length + chars; end += chars) {
      const text = TEXT.slice(0, end);
      parsed = parseBlocks(text, parsed);
      expect(shapeOf(parsed)).toBe(shapeOf(parseBlocks(text, NOTHING)));
    }
    expect(shapeOf(parsed)).toBe(shapeOf(parseWhole(TEXT)));
  });

  test('keeps its finished blocks as the same objects', () => {
    const before = parseBlocks('one\n\ntwo\n\nthr', NOTHING);
    const after = parseBlocks('one\n\ntwo\n\nthree', before);
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
    expect(after.blocks[2]).not.toBe(before.blocks[2]);
  });

  test('that does not continue what was there is parsed from its beginning', () => {
    const before = parseBlocks('one\n\ntwo\n\nthree', NOTHING);
    expect(shapeOf(parseBlocks('another', before))).toBe(shapeOf(parseWhole('another')));
  });

  test('resolves a reference that is defined later, at its end', () => {
    const text = 'See [it][a].\n\n[a]: https://example.com/';
    expect(shapeOf(parseWhole(text))).toContain('"href":"https://example.com/"');
  });
});

describe('Markdown of an attacker', () => {
  test('has no script, no handler and no address but http, https and mailto', () => {
    for (const payload of XSS_PAYLOADS) {
      const shape = shapeOf(parseWhole(payload));
      const tags = [...shape.matchAll(/"tagName":"(\w+)"/g)].map(([, name]) => name);
      expect(tags.filter((name) => /^(script|iframe|svg|style|object|embed|form)$/.test(name ?? ''))).toEqual(
        [],
      );
      expect(shape).not.toMatch(/"on\w+":|"style":/i);
      const addresses = [...shape.matchAll(/"(?:href|src)":"([^"]*)"/g)].map(([, address]) => address ?? '');
      expect(
        addresses.filter((address) => /^[^/?#]*:/.test(address) && !/^(https?|mailto):/.test(address)),
      ).toEqual([]);
    }
  });

  test('shows HTML as the text that it is', () => {
    expect(shapeOf(parseWhole('a <b onclick=x>bold</b>'))).toContain('a <b onclick=x>bold</b>');
  });
});
