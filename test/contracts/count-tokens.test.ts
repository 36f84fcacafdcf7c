import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { countTokens as encodedTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { countTexts, countTokens, slicesOf, utf8Bytes } from '../../contracts/count-tokens.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { growthOf } from '../harness/growth.ts';
import { createRandom } from '../harness/random.ts';

/** What a text may be made of for long stretches: scripts without spaces, signs, white space, and words. */
const ALPHABETS: Readonly<Record<string, readonly string[]>> = {
  'one Han character': ['東'],
  'Han characters': Array.from({ length: 4_000 }, (_, index) => String.fromCodePoint(0x4e00 + index)),
  'rare Han characters': Array.from({ length: 4_000 }, (_, index) => String.fromCodePoint(0x20000 + index)),
  Japanese: [...'あいうえおかきくけこ日本語東京の人が'],
  Thai: [...'กขคงจฉชซญดตถทธนบปผพฟมยรลวสหอะาิีึืุูเแโใไ'],
  Khmer: [...'កខគឃងចឆជឈញដឋឌឍណតថទធន'],
  Hangul: [...'가나다라마바사아자차카타파하'],
  Arabic: [...'ابتثجحخدذرزسشصضطظعغفقكلمنهوي'],
  Cyrillic: [...'абвгдежзийклмнопрст'],
  Devanagari: [...'कखगघचछजझटठडढतथदधनपफबभमयरलवशषसह'],
  'one letter': ['a'],
  'one capital': ['A'],
  DNA: [...'ACGT'],
  letters: [...'abcdefghijklmnopqrstuvwxyz'],
  'words that are not parted': ['the', 'and', 'for', 'that', 'with', 'this', 'from', 'which', 'tion', 'ing'],
  spaces: [' '],
  'line ends': ['\n'],
  'white space': [' ', '\n', '\t', '\r', '\u00a0'],
  'exclamation marks': ['!'],
  dashes: ['-'],
  signs: [...'!@#$%^&*()_+-=[]{}|;:,.<>?/'],
  mathematics: [...'∀∃∪∩≤≥√∛'],
  emoji: ['👍', '👎', '😀', '\u200d', '\ufe0f'],
  Braille: [...'⠁⠂⠃⠄⠅⠆⠇⠈'],
  'combining marks': ['\u0301', '\u0302', '\u0303'],
  'a sign and a mark': ['!', '\u0301'],
  digits: [...'0123456789'],
  'invisible tags': ['\u{e0041}', '\u{e0042}'],
  prose: ['the ', 'capital ', 'of ', 'France ', 'is ', 'Paris, ', 'and ', 'it rains. '],
};

function textOf(alphabet: readonly string[], chars: number): string {
  const random = createRandom(chars);
  let text = '';
  while (text.length < chars) text += alphabet[random.between(0, alphabet.length - 1)] ?? '';
  return text;
}

describe.each(Object.entries(ALPHABETS))('a text of %s', (_name, alphabet) => {
  test('takes twice the work at twice the length', () => {
    const growth = growthOf((chars) => {
      const text = textOf(alphabet, chars);
      return () => countTokens(text);
    }, 8_000);
    expect(growth).toBeLessThan(2.5);
  });

  test('has at most 1 % more tokens by our count than by the encoder, and not fewer', () => {
    const text = textOf(alphabet, 4_000);
    const exact = encodedTokens(text, { disallowedSpecial: new Set() });
    expect(countTokens(text)).toBeGreaterThanOrEqual(exact);
    expect(countTokens(text)).toBeLessThanOrEqual(Math.ceil(exact * 1.01));
  });

  test('is cut into slices that are together the text, none with a long run', () => {
    const text = textOf(alphabet, 60_000);
    const slices = [...slicesOf(text)];
    expect(slices.join('')).toBe(text);
    expect(Math.max(...slices.map((slice) => longestRunBytes(slice)))).toBeLessThanOrEqual(512);
  });
});

test.each(['東', '😀'])('a run of eight million characters can be cut (%s)', (character) => {
  let chars = 0;
  for (const slice of slicesOf(character.repeat(8_000_000))) chars += slice.length;
  expect(chars).toBe(8_000_000 * character.length);
});

/** The stretch that an encoder keeps together is at most as long as the longest of these. */
function longestRunBytes(text: string): number {
  const runs = text.match(/[\p{L}\p{M}]+|\s+|\p{N}+|[^\s\p{L}\p{N}]+/gu) ?? [];
  return Math.max(0, ...runs.map(utf8Bytes));
}

describe('countTokens', () => {
  test('is exact for a text without long runs', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 40 }), (words) => {
        const text = words.join(' ');
        fc.pre(longestRunBytes(text) <= 512);
        expect(countTokens(text)).toBe(encodedTokens(text, { disallowedSpecial: new Set() }));
      }),
    );
  });

  test('counts what looks like a control token as the text that it is', () => {
    expect(countTokens('What is <|endoftext|> for?')).toBeGreaterThan(5);
  });
});

describe('countTexts', () => {
  test('counts each text as `countTokens` does', async () => {
    const texts = ['', 'How do plants grow?', textOf(['東'], 3_000), textOf(['the ', 'cat '], 50_000)];
    expect(await countTexts(texts)).toEqual(texts.map(countTokens));
  });

  test('lets others have their turn while it counts a long text', async () => {
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    });
    await countTexts([textOf(['the ', 'cat '], 400_000)]);
    clearInterval(others);
    expect(turns).toBeGreaterThan(5);
  });

  test('takes what is past its limit for one token a byte, over all texts together', async () => {
    const half = 'word '.repeat(LIMITS.countedBytes / 10);
    const [first = 0, second = 0, third = 0] = await countTexts([half, half, half]);
    expect(first).toBe(countTokens(half));
    expect(second).toBeLessThan(half.length / 2);
    expect(third).toBeGreaterThan(0.9 * half.length);
  });

  test('encodes no more of the largest request than its limit', async () => {
    const han = '東'.repeat(LIMITS.requestBodyBytes / 3);
    const [counted = 0] = await countTexts([han]);
    // One token a character in what is encoded, one a byte in the rest.
    const bound = LIMITS.countedBytes / 3 + utf8Bytes(han) - LIMITS.countedBytes;
    expect(Math.abs(counted - bound)).toBeLessThan(2_000);
  });
});

test('the length in bytes is that of UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
    }),
  );
  expect(utf8Bytes('\ud800a\udc00')).toBe(Buffer.byteLength('\ud800a\udc00'));
});
