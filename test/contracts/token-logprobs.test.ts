import { describe, expect, test } from '@jest/globals';
import { type TokenLogprob, tokensOfEnd } from '../../contracts/token-logprobs.ts';

const tokens = (...texts: readonly string[]): TokenLogprob[] =>
  texts.map((token) => ({ token, logprob: -1, top: [] }));
const textsOf = (own: readonly TokenLogprob[]) => own.map(({ token }) => token);

describe('the tokens of the end of a text', () => {
  test.each([
    [['The', ' end', ' is', ' near'], ' is near', [' is', ' near']],
    [['The', ' end'], 'The end', ['The', ' end']],
    [['The', ' end'], '', []],
    // A token that is cut in two belongs to neither part.
    [['The', ' ending'], 'ing', []],
    [['a', 'bcd', 'e'], 'cde', ['e']],
    // The same length is not the same text.
    [['xx', 'yy'], 'zzyy', ['yy']],
    [['xx', 'yy'], 'zzzz', []],
  ])('%j of "%s" are %j', (texts, text, expected) => {
    expect(textsOf(tokensOfEnd(tokens(...texts), text))).toEqual(expected);
  });

  test('are found by their bytes where a token is a part of a character', () => {
    const parts = [
      { token: 'Hi ', logprob: -1, top: [] },
      { token: '\\xf0\\x9f', bytes: [0xf0, 0x9f], logprob: -1, top: [] },
      { token: '\\x99\\x82', bytes: [0x99, 0x82], logprob: -1, top: [] },
    ];
    expect(tokensOfEnd(parts, '🙂')).toEqual(parts.slice(1));
  });
});
